"""Where the parts lie in the application. Typed, so that a handler cannot take the wrong one."""

import asyncio

from aiohttp import web

from services.common.access import AccessView
from services.common.settings import Settings
from services.gateway.addresses import Addresses
from services.gateway.auth import Asker, Auth
from services.gateway.deliveries.office import Office
from services.gateway.desk import Desk
from services.gateway.feedback import FeedbackBox
from services.gateway.foryou import ForYou
from services.gateway.indexed import Indexed
from services.gateway.meetings import ToMeet
from services.gateway.names import Names
from services.gateway.people import Directory
from services.gateway.rates import Rates, Standing
from services.gateway.reactions import Reactions
from services.gateway.recommendations import Recommendations
from services.gateway.remembered import Remembered
from services.gateway.sealed import Sealer
from services.gateway.speaking.groups import Groups
from services.gateway.speaking.mouth import Mouth
from services.gateway.speaking.pace import Pace
from services.gateway.stream.admission import Admission
from services.gateway.stream.hub import Hub
from services.gateway.stream.streams import Streams
from services.gateway.stream.tokens import StreamTokens
from services.gateway.trends import Trends
from services.gateway.turns import Turns
from services.gateway.unread import Unread

SETTINGS = web.AppKey("settings", Settings)
AUTH = web.AppKey("auth", Auth)
TURNS = web.AppKey("turns", Turns)
DESK = web.AppKey("desk", Desk)
HUB = web.AppKey("hub", Hub)
FOR_YOU_HUB = web.AppKey("for_you_hub", Hub)
ADMISSION = web.AppKey("admission", Admission)
ADDRESSES = web.AppKey("addresses", Addresses)
RATES = web.AppKey("rates", Rates)
STREAMS = web.AppKey("streams", Streams)
STREAM_TOKENS = web.AppKey("stream_tokens", StreamTokens)
INDEXED = web.AppKey("indexed", Indexed)
DIRECTORY = web.AppKey("directory", Directory)
NAMES = web.AppKey("names", Names)
FOR_YOU = web.AppKey("for_you", ForYou)
REACTIONS = web.AppKey("reactions", Reactions)
RECOMMENDATIONS = web.AppKey("recommendations", Recommendations)
REPLAYS = web.AppKey("replays", asyncio.Semaphore)
ACCESS = web.AppKey("access", AccessView)
MOUTH = web.AppKey("mouth", Mouth)
GROUPS = web.AppKey("groups", Groups)
PACE = web.AppKey("pace", Pace)
REMEMBERED = web.AppKey("remembered", Remembered)
SEALER = web.AppKey("sealer", Sealer)
OFFICE = web.AppKey("office", Office)
TO_MEET = web.AppKey("to_meet", ToMeet)
TRENDS = web.AppKey("trends", Trends)
UNREAD = web.AppKey("unread", Unread)
FEEDBACK = web.AppKey("feedback", FeedbackBox)

ASKER = web.RequestKey("asker", Asker)
STANDING = web.RequestKey("standing", Standing)
