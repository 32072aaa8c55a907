"""The walk that records the examples of the OpenAPI document (`script/record-examples`).

`recorder.py` calls the server and keeps what was sent and received. Each area of the API has a module with one
function, which `walk.py` lists in order.
"""
