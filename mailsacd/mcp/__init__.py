"""Tools for language models (the Model Context Protocol), on HTTP's way of declaring calls.

A tool is one of the API's operations, or two: who may do what, and what it costs, is decided there.
"""
