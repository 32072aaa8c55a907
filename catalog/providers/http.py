"""Requests to providers, with limits of time, size and redirects."""

import asyncio

import httpx

CONNECT_SECONDS = 2.0
MAX_REDIRECTS = 2
MAX_BYTES = 1_000_000
# An encoded body could become much larger than MAX_BYTES.
HEADERS = {"User-Agent": "BookBridge/1", "Accept": "application/json", "Accept-Encoding": "identity"}


def fetch(url: str, *, seconds: float) -> tuple[int, bytes]:
    """Return the status and the body of a GET request. Raises httpx.HTTPError, OSError or ValueError.

    The limit of time is that of the whole request. It needs an event loop, because the timeouts of a blocking client
    limit each read only: a server that sends a byte now and then would keep it for ever.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(_get(url, seconds), seconds))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Without waiting for a thread that still looks up the host.
        loop.close()


async def _get(url: str, seconds: float) -> tuple[int, bytes]:
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    async with httpx.AsyncClient(timeout=timeout, headers=HEADERS) as client:
        request = client.build_request("GET", url)
        netloc = request.url.netloc
        for _attempt in range(MAX_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return response.status_code, await _read_limited(response)
                request = response.next_request
            finally:
                await response.aclose()
            if request.url.netloc != netloc:
                raise ValueError("Redirected to another host.")
    raise ValueError("Too many redirects.")


async def _read_limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError("The response is too long.")
    return bytes(body)
