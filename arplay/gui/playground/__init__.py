"""The state of the window without a widget: intents go in, one frozen View comes out; a file a responsibility."""
