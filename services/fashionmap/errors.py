"""Every error that fashionMap raises on purpose.

::

    FashionMapError                 one clear sentence for the person who reads it
    ├── PermanentError              trying again cannot help: dead-letter, record, go on
    │   ├── PhotoRejected           the bytes are no photo that we read
    │   ├── MessageRejected         an undecodable message, or one of an unknown type
    │   ├── BlobNotFound            a key that points nowhere
    │   ├── BlobTooLarge            an object beyond what is read
    │   ├── DeliveredTooOften       a message that never came to an end, however often delivered
    │   ├── StageFailed             a stage stumbled over it each time: a fault of ours
    │   ├── BackupRejected          a backup that is damaged or none
    │   ├── CollectionNotFound      no photo was ever offered under that name
    │   ├── WeightsRejected         weights missing, not fitting their hash, or of another model
    │   ├── DatasetRejected         a data set that is not in the form that it claims
    │   └── UsageError              the user asked for something that makes no sense
    └── TransientError              the same call may succeed later: back off and retry
        ├── StoreUnavailable        the object store does not answer
        ├── BrokerUnavailable       the message broker does not answer
        │   └── QueueMadeOtherwise  a queue of an older version or another setting is in the way
        └── ServiceUnavailable      a gRPC peer does not answer

Adapters translate their library's errors into these with ``raise … from``.
Two branches decide a retry; nothing else does.
"""


class FashionMapError(Exception):
    """Root of all errors raised on purpose; ``str(error)`` is one clear sentence."""


class PermanentError(FashionMapError):
    """Trying again cannot help."""


class TransientError(FashionMapError):
    """The same call may succeed later."""


class PhotoRejected(PermanentError):
    """The bytes are no photo that we read; the sentence says why."""


class MessageRejected(PermanentError):
    """A message that cannot be decoded, or whose type nobody knows."""


class BlobNotFound(PermanentError):
    """No object lies under that key."""


class BlobTooLarge(PermanentError):
    """An object has more bytes than are read."""


class DeliveredTooOften(PermanentError):
    """A message was delivered up to the limit and never came to an end."""


class StageFailed(PermanentError):
    """A stage stumbled over a message each time it was delivered."""


class BackupRejected(PermanentError):
    """A backup that is damaged, or none at all."""


class CollectionNotFound(PermanentError):
    """No photo was ever offered to a collection of that name."""


class WeightsRejected(PermanentError):
    """Weights that are missing, do not fit their hash, or belong to another model."""


class DatasetRejected(PermanentError):
    """A data set that is not in the form that it claims to have."""


class UsageError(PermanentError):
    """The user asked for something that makes no sense; the sentence says what would."""


class StoreUnavailable(TransientError):
    """The object store does not answer."""


class BrokerUnavailable(TransientError):
    """The message broker does not answer."""


class QueueMadeOtherwise(BrokerUnavailable):
    """A queue was declared by an older version or setting; the sentence says which."""


class ServiceUnavailable(TransientError):
    """A gRPC peer does not answer."""
