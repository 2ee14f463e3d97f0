"""What can keep the demo from running."""

from consumer.errors import ProjectorError


class DemoUnavailable(ProjectorError):
    """The demo can't run here."""

    exit_status = 3


class DemoFailed(ProjectorError):
    """The demo can't go on."""

    exit_status = 3
