"""Quality figures. Knows labels and numbers; knows no model."""
