# Sourced by start.sh and load.sh, from this folder: the settings, as an operator sets them for production.
# BOOKBRIDGE is the checkout to measure; the default is the one that this folder is in.
BOOKBRIDGE="$(cd "${BOOKBRIDGE:-../../..}" && pwd)"
if ! [ -x "$BENCH_VENV/bin/python" ]; then
  echo "first: python3 bench.py setup bookbridge" >&2
  exit 2
fi
export BOOKBRIDGE VENV="$BENCH_VENV"
# script/setup installs the MySQL driver because of it.
export DATABASE_URL="mysql://$BENCH_DB_USER:$BENCH_DB_PASSWORD@$BENCH_DB_HOST:$BENCH_DB_PORT/$BENCH_DB_NAME"
"$BOOKBRIDGE/script/setup"

# What the server writes: its key, logs, metrics and images, for each database.
state="$BENCH_VENV/state/$BENCH_DB_NAME"
mkdir -p "$state"
export LOG_DIR="$state/log" MEDIA_DIR="$state/media" PROMETHEUS_MULTIPROC_DIR="$state/metrics"
export JWT_PRIVATE_KEY="$state/jwt.pem" SECRET_KEY="$BENCH_JWT_SECRET"
if ! [ -s "$JWT_PRIVATE_KEY" ]; then
  # EC P-256, the kind of key that development uses.
  "$BENCH_VENV/bin/python" - "$JWT_PRIVATE_KEY" <<'PYTHON'
import sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
open(sys.argv[1], "wb").write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
PYTHON
fi

# The keys start with "bookbridge"; no setting changes that, so BENCH_CACHE_PREFIX is not used.
export REDIS_URL="$BENCH_REDIS_URL"
export HOST=127.0.0.1 PORT="$BENCH_PORT" WEB_CONCURRENCY="${BENCH_WORKERS:-2}" DEBUG=off DEMO=0
# Counted, but too high to be exceeded.
for rate in LOGIN REGISTER INVITE WRITE USER ANON; do export "RATE_$rate=999999999/min"; done
