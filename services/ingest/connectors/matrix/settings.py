"""What may be configured for a Matrix server (a ``[[sources]]`` table with ``kind = "matrix"``)."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class MatrixSettings(BaseModel):
    """Settings of one Matrix home server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Address of the home server's client API, such as https://matrix.example.org.")
    access_token: SecretStr = Field(description="Access token of the reading account, or an application service's.")
    hs_token: SecretStr = Field(
        SecretStr(""),
        description="Token by which the home server proves itself when it delivers as to an application service.",
    )
    rooms: tuple[str, ...] = Field((), description="Ids or aliases of rooms to join at the start.")
    accept_invites: bool = Field(True, description="Join the rooms that the reading account is invited to.")
    open_rooms: bool = Field(
        True,
        description="Rooms that all on the server may join and read back are open to everyone in the organisation.",
    )
    link: str = Field("https://matrix.to/#/", description="Put before room and event ids to make links for people.")
    sync_seconds: float = Field(20.0, ge=0, le=60, description="How long one request waits for something new.")
    reconcile_hours: int = Field(48, ge=1, le=24 * 90, description="How far back a reconcile reads again.")
    requests_per_second: float = Field(10.0, gt=0, le=1000, description="Requests at most.")
    page_size: int = Field(100, ge=1, le=1000, description="Events asked for at once.")
    longest: int = Field(100_000, ge=1000, le=1_000_000, description="Characters of a message that are kept.")

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")
