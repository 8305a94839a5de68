#!/bin/sh
# A before handler as a script: refuses test clients, cuts a high credit. Needs jq.
# The payload comes on standard input, the decision goes to standard output; exit status 3 forbids.
payload=$(cat)
ask() { printf '%s' "$payload" | jq -r "$1"; }

[ "$HOOKSWITCH_EVENT" = clients.create ] || exit 0

case $(ask .data.name) in
Test*)
  echo 'test clients are not made here' >&2
  exit 3
  ;;
esac

if [ "$(ask '.data.credit == null or .data.credit > 1000')" = true ]; then
  echo '{"data": {"credit": 1000}, "warnings": ["credit was cut to 1000"]}'
fi
