# The job of a push in one script, for one OpenSSH connection to each host: it backs up, replaces atomically with mode 0600,
# restarts the wrapper, waits until it is healthy, asks, and judges the reply. No probe, no lock, no way back.
set -eu
umask 077
file=$HOME/.claude/.credentials.json
read -r port <"$HOME/wrapper/port"
cp -p "$file" "$file.backup"
cat >"$file.new" <<'LOGIN'
@LOGIN@
LOGIN
sync "$file.new"
mv -f "$file.new" "$file"
"$HOME/wrapper/restart.sh"
until curl -fs -o /dev/null "http://127.0.0.1:$port/health"; do sleep 0.02; done
curl -fs -H 'content-type: application/json' -d '{"message":"Say @WORD@"}' "http://127.0.0.1:$port/chat" | grep -q '@WORD@'
