"""The options of curl that the documentation uses, for machines without curl."""

import argparse
import sys
import urllib.error
import urllib.parse
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-s", action="store_true")
parser.add_argument("-f", dest="fail", action="store_true")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-d", dest="data")
parser.add_argument("-G", dest="get", action="store_true")
parser.add_argument("--data-urlencode", dest="query", action="append", default=[])
parser.add_argument("-X", dest="method")
parser.add_argument("-D", dest="dump", choices=["-"])
parser.add_argument("-o", dest="output")
parser.add_argument("-w", dest="write_out", default="")


def main() -> None:
    """Send the request, and print the headers (with `-D -`), the body and the text of `-w`.

    With `-f`, exit with 22 for an error.
    """
    options = parser.parse_args()
    data = None if options.data is None else options.data.encode()
    url = options.url
    if options.get:
        url += "?" + urllib.parse.urlencode(dict(field.split("=", 1) for field in options.query))
    headers = dict(header.split(": ", 1) for header in options.headers)
    request = urllib.request.Request(url, data, headers, method=options.method)
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if options.fail:
            sys.exit(22)
        response = error
    except OSError as error:
        sys.exit(str(error))
    with response, open(options.output or sys.stdout.fileno(), "wb", closefd=bool(options.output)) as out:
        if options.dump:
            sys.stdout.write("".join(f"{name}: {value}\r\n" for name, value in response.headers.items()))
        out.write(response.read())
    sys.stdout.write(options.write_out.replace("%{http_code}", str(response.status)))


if __name__ == "__main__":
    main()
