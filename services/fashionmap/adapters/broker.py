"""Where the broker is and how it is spoken to: address, TLS, limits."""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pika

from fashionmap.errors import BrokerUnavailable, QueueMadeOtherwise, UsageError

_MADE_OTHERWISE = re.compile(r"inequivalent arg '([^']+)' for queue '([^']+)'")


@dataclass(frozen=True)
class Broker:
    """The broker's address and what it takes to be let in.

    Attributes:
        url: ``amqp://`` or ``amqps://``; holds the password, so it is never shown.
        delivery_limit: Deliveries before a message is dead.
        ca: CA of the broker's certificate, instead of the system's.
        cert: Own certificate, where the broker asks for one.
        key: Its key.
    """

    url: str = field(repr=False)
    delivery_limit: int
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def parameters(self, *, heartbeat: int) -> pika.ConnectionParameters:
        """pika's parameters; ``UsageError`` (without the address) where they make no sense."""
        try:
            parameters = pika.URLParameters(self.url)
            parameters.heartbeat = heartbeat
            if self.url.startswith("amqps:"):
                parameters.ssl_options = pika.SSLOptions(self._context(), parameters.host)
        except (ValueError, TypeError, OSError) as error:
            what = type(error).__name__
            raise UsageError(f"The broker's address or certificates make no sense: {what}.") from (
                error if isinstance(error, OSError) else None
            )
        return parameters

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


def trouble_of(reason: object) -> BrokerUnavailable:
    """The error that an error of pika's means, or a reason that it gives."""
    if found := _MADE_OTHERWISE.search(str(reason)):
        argument, name = found.groups()
        return QueueMadeOtherwise(
            f"The broker's queue {name!r} was made with another {argument!r}, by an older version "
            f"or setting: let it run empty, then `rabbitmqctl delete_queue {name}`, and it is "
            "made anew (docs/operate.md, Upgrading)."
        )
    told = repr(reason) if isinstance(reason, BaseException) else reason
    return BrokerUnavailable(f"The message broker does not answer: {told}.")
