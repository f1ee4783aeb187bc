"""Files as people's trainings leave them; each is measured, whatever lies beside the weights."""
