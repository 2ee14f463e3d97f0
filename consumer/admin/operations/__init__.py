"""What operators' commands leave behind in `projector.operations`, and long work that can be resumed or cancelled."""
