"""What can keep the demo from running."""

from neon_projector.consumer.errors import ProjectorError


class DemoUnavailable(ProjectorError):
    """A part of the demo (embedded Postgres, broker) is missing, or does not start on this machine."""

    message = "The demo can't run here."
    exit_status = 3


class DemoFailed(ProjectorError):
    """A part of the demo ended while it ran."""

    message = "The demo can't go on."
    exit_status = 3
