"""What may be configured for a wiki (a ``[[sources]]`` table with ``kind = "mediawiki"``)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class MediaWikiSettings(BaseModel):
    """Settings of one wiki."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Address of the wiki's api.php, or of the wiki where api.php lies below it.")
    username: str = Field("", description="Account that reads, such as Reader@watercooler (Special:BotPasswords).")
    password: SecretStr = Field(SecretStr(""), description="Its password. Needed only where reading needs a login.")
    visibility: Literal["public", "restricted"] = Field(
        "public", description="public: everyone in the organisation may open the wiki. restricted: only `principals`."
    )
    principals: tuple[str, ...] = Field(
        (), description="Person, group and account ids that may open a restricted wiki."
    )
    namespaces: tuple[int, ...] = Field((), description="Numbers of the namespaces to read; empty: all.")
    poll_seconds: float = Field(2.0, ge=0.2, le=3600, description="Pause between two looks at the recent changes.")
    overlap_seconds: int = Field(
        60, ge=2, le=3600, description="How far each look goes back, for changes that the wiki listed late."
    )
    reconcile_hours: int = Field(48, ge=1, le=24 * 90, description="How far back a reconcile reads again.")
    requests_per_second: float = Field(5.0, gt=0, le=1000, description="Requests, one at a time, at most.")
    maxlag: int = Field(5, ge=1, le=60, description="Wait when the wiki's databases lag by more seconds than this.")
    page_size: int = Field(50, ge=1, le=500, description="Revisions asked for at once.")
    longest: int = Field(200_000, ge=1000, le=2_000_000, description="Characters of a page that are kept.")

    @field_validator("url")
    @classmethod
    def _api(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url if url.endswith(".php") else url.rstrip("/") + "/api.php"
