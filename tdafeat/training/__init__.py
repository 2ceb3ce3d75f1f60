"""How the embedded encoders were made: one trainer per method over a shared loop."""
