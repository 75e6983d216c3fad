"""Does a gateway keep what it promises on its live stream? Looked at from outside only: any such gateway can be asked.

`python -m bench.conformance URL [URL ...] --publish COMMAND` prints a table: each promise, kept, broken or not tried.
Several URLs are processes of one gateway. docs/api.md says what is promised, gateway by gateway the options differ.
"""
