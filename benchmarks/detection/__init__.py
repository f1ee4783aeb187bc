"""How often the verdict is right: trainings with a known outcome, and what each judge says of them."""
