"""Learning the scorer's weights anew from an organisation's own history and feedback."""
