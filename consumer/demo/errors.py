"""What can keep the demo from running."""

from neon_projector.consumer.errors import ProjectorError


class DemoUnavailable(ProjectorError):
    """The demo can't run here."""

    exit_status = 3


class DemoFailed(ProjectorError):
    """The demo can't go on."""

    exit_status = 3
