"""What was changed, when and by whom; what happened."""
