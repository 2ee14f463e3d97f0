"""The testing kit of publishers: what `neon_projector.projections` offers by name. Needs no server, no setting."""
