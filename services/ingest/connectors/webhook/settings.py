"""What may be configured for a sender (a ``[[sources]]`` table with ``kind = "webhook"``)."""

import base64
import binascii
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class WebhookSettings(BaseModel):
    """Settings of one sender."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr = Field(description="What the sender signs with; standard: base64, with or without whsec_.")
    signature: Literal["standard", "github"] = Field(
        "standard", description="standard: Standard Webhooks. github: X-Hub-Signature-256, as GitHub and Gitea sign."
    )
    name: str = Field("", description="Name of the place as shown; the source's name by default.")
    visibility: Literal["public", "restricted"] = Field(
        "public", description="The most that a sender's activities may be open to, whatever it says itself."
    )
    principals: tuple[str, ...] = Field((), description="Who may open what is restricted.")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        secret = self.secret.get_secret_value()
        if len(secret) < 16:
            raise ValueError("secret must have at least 16 characters")
        if self.signature == "standard":
            try:
                base64.b64decode(secret.removeprefix("whsec_").rstrip("=") + "==", validate=True)
            except binascii.Error as error:
                raise ValueError("secret must be base64 for signature = standard") from error
        return self
