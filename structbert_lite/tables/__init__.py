"""Files of rows, read and written window by window, so that their size does not matter."""
