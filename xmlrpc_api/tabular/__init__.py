"""Tables as files, CSV as people exchange it: read with every wrong line named, written so that no sheet runs it."""
