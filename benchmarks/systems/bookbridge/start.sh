#!/bin/sh
# Runs the server in the foreground, as in production: with its own gunicorn.conf.py, all middleware, throttles, metrics,
# tasks and the access log.
cd "$(dirname "$0")" || exit 1
. ./environment.sh
exec "$BOOKBRIDGE/script/server" --production
