"""What may be configured for a repository (a ``[[sources]]`` table with ``kind = "git"``)."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_REMOTE = re.compile(r"(https?|ssh|git|file)://[^\s]+|[\w.-]+@[\w.-]+:[^\s]+")


class GitSettings(BaseModel):
    """Settings of one repository."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Path of a repository on this machine, or a URL (https, ssh, git, file).")
    name: str = Field("", description="Name as shown; the last part of the address by default.")
    username: str = Field("", description="User for https, where reading needs one.")
    token: SecretStr = Field(SecretStr(""), description="Token or password for https. Never on a command line.")
    visibility: Literal["public", "restricted"] = Field(
        "public", description="public: everyone in the organisation may open it. restricted: only `principals`."
    )
    principals: tuple[str, ...] = Field((), description="Who may open a restricted repository.")
    refs: tuple[str, ...] = Field(
        ("refs/heads", "refs/tags", "refs/remotes"), description="Which refs are read, by prefix."
    )
    commit_url: str = Field("", description="Address of a commit for people, with {sha}; guessed for https URLs.")
    poll_seconds: float = Field(5.0, ge=0.2, le=86_400, description="Pause between two looks at the refs.")
    most_files: int = Field(300, ge=0, le=10_000, description="Paths kept of one commit.")

    @field_validator("url")
    @classmethod
    def _not_an_option(cls, url: str) -> str:
        if url.startswith("-"):
            raise ValueError("must not begin with a dash")
        return url

    @field_validator("url")
    @classmethod
    def _without_secret(cls, url: str) -> str:
        if url.startswith(("https://", "http://")) and "@" in url.split("/")[2]:
            raise ValueError("must hold no user or password, since it is shown to readers; use 'username' and 'token'")
        return url

    @property
    def remote(self) -> bool:
        """Whether a mirror has to be kept."""
        return bool(_REMOTE.fullmatch(self.url))

    @property
    def shown_name(self) -> str:
        """Name for people."""
        last = self.url.rstrip("/").removesuffix("/.git").rpartition("/")[2].rpartition(":")[2]
        return self.name or last.removesuffix(".git") or "repository"

    def address_of(self, sha: str) -> str:
        """Return where a person opens a commit, or nothing."""
        if self.commit_url:
            return self.commit_url.replace("{sha}", sha)
        if self.url.startswith(("https://", "http://")):
            return f"{self.url.rstrip('/').removesuffix('.git')}/commit/{sha}"
        return ""
