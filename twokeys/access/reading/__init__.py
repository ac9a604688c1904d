"""What a stack, a state, a template or live accounts hold, as one snapshot."""
