"""The text field of the editor: what Qt shows is an image of the document's bytes."""
