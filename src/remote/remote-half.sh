# sync-creds, the half that runs on the host. Plain POSIX sh; nothing stays behind but one folder.
#
# It arrives on stdin of a constant command line and reads requests from the same stdin:
#     verb, then `key=value` lines, then a line with a single dot, then `size` raw bytes where a file is sent
# Every line it answers starts with a per-run nonce; whatever else the host prints is noise to the other side.
# Values come in through `read -r` and are only ever used quoted. Secrets go from stdin into files through `dd`:
# no variable, no argument list and no environment ever holds one.
#
# Its folder is <config dir>/.sync-creds, mode 0700:
#     lock       who works on this host now: pid, start time, run, who, since
#     pending/   the change under way, whole: file by file what was, what shall be, how to restart, this script
#     backups/   the last five changes that were committed; history: one line for each run
#
# The way back is one function, `undo`. It serves a rollback, the dead-man switch (`sh pending/script watch`), the
# next run that finds a leftover, and a person: `sh pending/script undo`. Who takes it back is settled by renaming
# pending/armed: `commit` and `undo` both need it, and a rename has one winner.

set -u
their_umask=$(umask)
their_locale=${LC_ALL-none}
umask 077
LC_ALL=C
export LC_ALL
nonce=
state=idle
step_failed=
tab=$(printf '\t')

# ---- answering ----------------------------------------------------------------------------------------------

# An answer is put together first and leaves in one piece: sshd sends a second piece only when the first one has been
# acknowledged, a whole round trip later. `more=yes` says that a further request is on its way, whose answer can go along.
out=
say() { out="$out$nonce $*
"; }
each() {
  [ -z "$2" ] || out="$out$(printf '%s\n' "$2" | sed "s/^/$nonce $1=/")
"
}
send() {
  [ -z "$out" ] || printf '%s' "$out"
  out=
}
finish() {
  say "end=$1"
  [ -n "$f_more" ] || send
}

# Ends a request without success: a reason from a short list, and what the system said.
refuse() {
  say "fail=$1"
  each detail "$(printf '%s\n' "${2-}" | head -n 12)"
}

# ---- small tools --------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }
nap() { sleep "$1" 2>/dev/null || sleep 1; }
expand() { case $1 in '~') printf '%s' "$HOME" ;; '~/'*) printf '%s' "$HOME/${1#??}" ;; *) printf '%s' "$1" ;; esac; }

# Hundredths of a second on a clock that nobody sets.
now() {
  if read -r uptime _ 2>/dev/null </proc/uptime; then clock=${uptime%.*}${uptime#*.}; else clock=$(date +%s)00; fi
}

kind_of() {
  if [ -L "$1" ]; then kind=link; elif [ ! -e "$1" ]; then kind=absent; elif [ -f "$1" ]; then kind=file
  elif [ -d "$1" ]; then kind=directory; else kind=other; fi
}

sha_of() {
  if have sha256sum; then sha256sum <"$1"; elif have shasum; then shasum -a 256 <"$1"; else sha256 -q <"$1"; fi |
    { read -r sum _ && echo "$sum"; }
}

# Content hash of a path, or `absent`; `?` for what is neither absent nor a regular file.
state_of() {
  kind_of "$1"
  case $kind in absent) echo absent ;; file) sha_of "$1" ;; *) echo '?' ;; esac
}

# Pushes files and folders to the disk. An old `sync` ignores its arguments and flushes everything, which serves too.
flush() { sync "$@" 2>&1; }

# Reads `key=value` lines up to the dot into variables f_key.
fields() {
  while IFS= read -r field; do
    case $field in
      .) return 0 ;;
      run=* | who=* | dir=* | port=* | kind=* | unit=* | scope=* | directory=* | command=* | restart=* | status=* | log=* | \
        path=* | more=* | mode=* | expect=* | sha=* | size=* | confirm=* | timeout=* | start=* | stability=*)
        eval "f_${field%%=*}=\${field#*=}" ;;
      *) refuse protocol && send && exit 1 ;; # said without the line: it may be part of a file
    esac
  done
}
no_fields() {
  f_run= f_who= f_dir= f_port= f_kind=none f_unit= f_scope=system f_directory= f_command= f_restart= f_status= f_log=
  f_path= f_more= f_mode=600 f_expect= f_sha= f_size=0 f_confirm=60 f_timeout=60 f_start=30 f_stability=0
}

# ---- processes ----------------------------------------------------------------------------------------------

# A process is its pid and its start time: a pid alone comes round again.
start_of() {
  if [ -r "/proc/$1/stat" ]; then
    IFS= read -r stat <"/proc/$1/stat" || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" != Z ] && echo "${20}"
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' _
  fi
}
is_running() { [ -n "$1" ] && [ -n "$2" ] && [ "$(start_of "$1" 2>/dev/null)" = "$2" ]; }

# The sockets that listen on port $1: uid and inode, one line each.
listeners() {
  [ -n "$1" ] && awk -v port="$(printf '%04X' "$1")" \
    '$4 == "0A" && substr($2, length($2) - 3) == port { print $8, $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# The process that holds a listening socket; of several workers the one that started first.
holder_of() {
  ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v want="socket:[$1]" \
    '/^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3] } $NF == want { print pid }' |
    sort -un | while read -r candidate; do echo "$(start_of "$candidate") $candidate"; done | sort -n |
    { read -r _ first && echo "$first"; }
}

holds() { ls -l "/proc/$1/fd" 2>/dev/null | grep -q -F "socket:[$2]"; }

# Finds the wrapper: sets w_pid, w_start, w_uid, w_socket (empty where unknown), and for systemd w_state, w_restarts.
find_wrapper() {
  w_pid= w_start= w_uid= w_socket= w_state= w_restarts=
  if [ -r /proc/net/tcp ]; then
    socket=$(listeners "$f_port" | head -n 1)
    w_uid=${socket% *} w_socket=${socket#* }
  elif have lsof && [ -n "$f_port" ]; then
    w_socket=$(lsof -nP -iTCP:"$f_port" -sTCP:LISTEN -t 2>/dev/null | head -n 1)
    w_pid=$w_socket
  fi
  case $f_kind in
    systemd) find_unit ;;
    process)
      if read -r pid start 2>/dev/null <"$folder/wrapper-$f_port.pid" && is_running "$pid" "$start"; then w_pid=$pid; fi ;;
  esac
  [ -n "$w_pid" ] || [ -z "$w_socket" ] || w_pid=$(holder_of "$w_socket")
  [ -z "$w_pid" ] || w_start=$(start_of "$w_pid" 2>/dev/null)
}

find_unit() {
  for fact in $(manager show -p MainPID -p NRestarts -p ActiveState -p LoadState "$f_unit" 2>/dev/null); do
    case $fact in
      MainPID=0) ;;
      MainPID=*) w_pid=${fact#*=} ;;
      NRestarts=*) w_restarts=${fact#*=} ;;
      LoadState=not-found) w_state=not-found ;;
      ActiveState=*) [ -n "$w_state" ] || w_state=${fact#*=} ;;
    esac
  done
}

# systemctl for the unit's scope. A user's manager is found through a variable that ssh and sudo do not set.
manager() {
  if [ "$f_scope" = user ]; then
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} systemctl --user --no-ask-password "$@"
  else
    systemctl --no-ask-password "$@"
  fi
}

# Names, never values, of the variables of process $1 that outrank a credentials file, with what kind of value they hold.
shadows_of() {
  [ -r "/proc/$1/environ" ] || { say "env=?" && return 0; }
  each env "$(tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | awk -F= '
    /^(ANTHROPIC_(API_KEY|AUTH_TOKEN|BASE_URL|PROFILE|FEDERATION_RULE_ID)|CLAUDE_CODE_(OAUTH_TOKEN|SIMPLE|USE_BEDROCK|USE_VERTEX|USE_FOUNDRY))=/ {
      value = substr($0, length($1) + 2)
      print $1, (value == "" ? "empty" : value ~ /^sk-ant-oat/ ? "oauth-token" : value ~ /^sk-ant-api/ ? "api-key" : "set")
    }')"
}

variable_of() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | sed -n "s/^$2=//p" | head -n 1; }

# The umask and locale of a login, for what the user's own commands start.
as_theirs() {
  umask "$their_umask"
  if [ "$their_locale" = none ]; then unset LC_ALL; else LC_ALL=$their_locale; fi
}
detached=
! have setsid || detached=setsid

# Runs a command line ($2, its arguments after it) for at most $1 seconds in a session of its own, away from our
# streams. Sets rc (124 when time was up) and told, the end of what it printed.
bounded() {
  limit=$1
  shift
  printed=$folder/printed.$$
  # Braces, not parentheses, before every `&`: yash would put a second process between, and `$!` would name that.
  { as_theirs && exec $detached /bin/sh -c "$@"; } </dev/null >"$printed" 2>&1 &
  child=$!
  {
    sleep "$limit" &
    alarm=$!
    trap 'kill "$alarm"; exit' TERM
    wait "$alarm"
    : >"$printed.late"
    kill -TERM "-$child" || kill -TERM "$child"
    nap 1
    kill -KILL "-$child" || kill -KILL "$child"
  } </dev/null >/dev/null 2>&1 &
  guard=$!
  rc=0
  wait "$child" || rc=$?
  if [ -e "$printed.late" ]; then
    rc=124
    wait "$guard" # it has yet to end what ignores SIGTERM
  else
    kill -TERM "$guard" 2>/dev/null
  fi
  told=$(tail -n 5 "$printed" 2>/dev/null | cut -c 1-2000)
  rm -f "$printed" "$printed.late"
}

# ---- probe: look, change nothing ----------------------------------------------------------------------------

probe() {
  folder=
  home_dir=$(cd -P "$HOME" 2>/dev/null && pwd) || home_dir=
  say "user=$(id)"
  say "home=$HOME"
  say "clock=$(date +%s)"
  have sha256sum || have shasum || have sha256 || say "missing=sha256sum"
  folder=$(expand "${f_dir:-~/.claude}")/.sync-creds
  find_wrapper
  dir=$(expand "$f_dir")
  if [ -z "$dir" ] && [ -n "$w_pid" ]; then dir=$(variable_of "$w_pid" CLAUDE_CONFIG_DIR); fi
  case $dir in /*) ;; *) dir=$HOME/.claude ;; esac
  real_dir=$(cd -P "$dir" 2>/dev/null && pwd) && dir=$real_dir
  folder=$dir/.sync-creds
  say "dir=$dir"
  describe home "$home_dir"
  describe dir "$dir"
  describe file "$dir/.credentials.json"
  readable=
  [ "$kind" != file ] || [ ! -r "$dir/.credentials.json" ] || readable=yes
  free_space
  [ -z "$w_pid$w_socket" ] || say "wrapper=${w_pid:-?} ${w_start:-?} ${w_uid:-?} ${w_socket:-?}"
  [ -z "$w_state" ] || say "unit=$w_state"
  if [ -n "$w_pid" ]; then
    shadows_of "$w_pid"
    [ "$f_kind" != process ] || say "foreign=$(foreign "$w_pid")"
  fi
  if [ -r "$dir/settings.json" ]; then
    each setting "$(sed -nE 's/.*"(apiKeyHelper|ANTHROPIC_API_KEY|ANTHROPIC_AUTH_TOKEN|CLAUDE_CODE_OAUTH_TOKEN)"[[:space:]]*:.*/\1/p' "$dir/settings.json")"
  fi
  if [ "$f_kind" = process ]; then kind_of "$(expand "$f_directory")" && say "directory=$kind"; fi
  claude_version
  if read -r pid start run who 2>/dev/null <"$folder/lock" && is_running "$pid" "$start"; then say "lock=$run $who"; fi
  if [ -e "$folder/pending" ]; then read -r who 2>/dev/null <"$folder/pending/who"; say "pending=${who:-unknown}"; fi
  {
    printf '%s' "$out"
    if [ -n "$readable" ]; then
      printf '%s hex=' "$nonce"
      od -An -v -tx1 "$dir/.credentials.json" | tr -d ' \n'
      echo
    fi
    printf '%s end=probe\n' "$nonce"
  } | dd obs=1048576 2>/dev/null
  out=
}

# Kind, mode, owner and links of a path: `dir=directory drwx------ 1000 2`.
describe() {
  kind_of "$2"
  if [ "$kind" = absent ]; then
    say "$1.is=absent"
  else
    # shellcheck disable=SC2046
    set -- "$1" $(ls -ldn "$2" 2>/dev/null | head -n 1)
    say "$1.is=$kind ${2-?} ${4-?} ${3-?}"
  fi
}

free_space() {
  place=$dir
  [ -d "$place" ] || place=$HOME
  each free "$(df -Pk "$place" 2>/dev/null | { read -r _ && read -r _ _ _ kilobytes _ && echo "$kilobytes"; })"
}

# Read from its package, not by running it: that takes half a second and may write to the home.
claude_version() {
  program=$(command -v claude 2>/dev/null) || program=$HOME/.local/bin/claude
  program=$(readlink -f "$program" 2>/dev/null) || return 0
  case $program in
    */versions/*) say "claude=${program##*/versions/}" ;;
    *) version=$(sed -n 's/^ *"version": *"\([0-9][0-9A-Za-z.+-]*\)".*/\1/p' "${program%/*}/package.json" 2>/dev/null | head -n 1)
      [ -z "$version" ] || say "claude=$version" ;;
  esac
}

# `yes` when the process on the port is neither ours, nor started in the wrapper's folder, nor by its command line.
foreign() {
  read -r pid start 2>/dev/null <"$folder/wrapper-$f_port.pid" && is_running "$pid" "$start" && [ "$pid" = "$1" ] && echo no && return
  [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$(cd -P "$(expand "$f_directory")" 2>/dev/null && pwd)" ] && echo no && return
  case " $(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null)" in *" $f_command "*) echo no ;; *) echo yes ;; esac
}

# ---- the lock -----------------------------------------------------------------------------------------------

# One holder at a time. The link appears whole or not at all. A holder that is gone is replaced by whoever first links
# a name that only its run can have; should that one die too, the next removes its link first. Fails with 1 when
# another run holds the lock, with 2 when it cannot be written.
take_lock() {
  mine=$folder/lock.$f_run
  told=$( (printf '%s %s %s %s\n' "$$" "$(start_of $$)" "$f_run" "$f_who" >"$mine") 2>&1) || return 2
  for _ in 1 2 3 4 5; do
    if told=$(ln "$mine" "$folder/lock" 2>&1); then
      holding=$mine
      return 0
    fi
    read -r pid start run who 2>/dev/null <"$folder/lock" || continue
    if is_running "$pid" "$start"; then
      say "holder=$run $who"
      rm -f "$mine"
      return 1
    fi
    if ln "$mine" "$folder/lock.$run.taken" 2>/dev/null; then
      # While we looked, another may have taken over and gone: only the dead holder's lock is removed.
      if read -r _ _ now_run _ 2>/dev/null <"$folder/lock" && [ "$now_run" = "$run" ]; then
        rm -f "$folder/lock" "$folder/lock.$run"
      fi
      rm -f "$folder/lock.$run.taken"
    elif read -r pid start _ 2>/dev/null <"$folder/lock.$run.taken" && ! is_running "$pid" "$start"; then
      rm -f "$folder/lock.$run.taken"
    fi
  done
  rm -f "$mine"
  [ ! -e "$folder/lock" ] && return 2
  return 1
}
holding=
drop_lock() {
  [ -z "$holding" ] || rm -f "$folder/lock" "$holding"
  holding=
}

# ---- the change ---------------------------------------------------------------------------------------------

begin() {
  step_failed=
  files=0
  pending=$folder/pending
  if [ ! -d "$dir" ]; then told=$(mkdir -p "$dir" 2>&1) || { fail_step directory "$told" && return; }; fi
  kind_of "$folder"
  case $kind in
    absent) told=$(mkdir "$folder" 2>&1) || { fail_step directory "$told" && return; } ;;
    directory) ;;
    *) fail_step unsafe "$folder is not a folder" && return ;;
  esac
  take_lock
  case $? in 1) fail_step busy && return ;; 2) fail_step write "$told" && return ;; esac
  if [ -e "$pending" ]; then fail_step leftover && return; fi
  state=begun
  told=$( {
    mkdir "$pending" && printf '%s\n' "$f_who" >"$pending/who" && printf '%s\n' "$run_name" >"$pending/run" &&
      printf '%s\n' "$f_confirm" >"$pending/confirm" && printf '%s\n' "$sync_creds" >"$pending/script" &&
      printf '%s=%s\n' dir "$dir" port "$f_port" kind "$f_kind" unit "$f_unit" scope "$f_scope" directory "$f_directory" \
        command "$f_command" restart "$f_restart" status "$f_status" log "$f_log" timeout "$f_timeout" start "$f_start" \
        stability "$f_stability" >"$pending/recipe"
  } 2>&1) || { fail_step write "$told" && return; }
  finish begin
}

# A step failed before anything took effect: remove our traces, and skip the steps that were sent with it.
fail_step() {
  refuse "$@"
  step_failed=yes
  abandon
  finish "${verb}"
}
abandon() {
  if [ "$state" = begun ]; then
    for entry in "$pending"/[0-9]*; do
      if IFS= read -r target 2>/dev/null <"$entry/path"; then rm -f "$target.$run_name"; fi
    done
    rm -rf "$pending"
  fi
  state=idle
  drop_lock
}

# One file of the change: checked, backed up, staged beside its target. Nothing has changed yet.
file() {
  files=$((files + 1))
  entry=$pending/$files
  staged=$f_path.$run_name
  if [ -n "$step_failed" ]; then drain && refuse skipped && finish file && return; fi
  kind_of "$f_path"
  case $kind in absent | file) ;; *) drain && fail_step unsafe "$f_path is a $kind" && return ;; esac
  was=$(state_of "$f_path")
  if [ "$was" != "$f_expect" ]; then drain && fail_step changed && return; fi
  told=$( {
    mkdir "$entry" && printf '%s\n' "$f_path" >"$entry/path" && printf '%s\n' "$was" >"$entry/old" &&
      printf '%s\n' "$f_sha" >"$entry/new" && { [ "$was" = absent ] || cp -p "$f_path" "$entry/backup"; } &&
      (set -C && : >"$staged")
  } 2>&1) || { drain && fail_step write "$told" && return; }
  # The second cat: what the disk has no room for must not be taken for the next request.
  told=$(dd bs=1 count="$f_size" 2>/dev/null | { cat >"$staged" || { cat >/dev/null && false; }; } 2>&1) ||
    { fail_step write "$told" && return; }
  told=$( { { [ "$f_mode" = 600 ] || chmod "$f_mode" "$staged"; } && flush "$staged"; } 2>&1) || { fail_step write "$told" && return; }
  if [ "$(sha_of "$staged")" != "$f_sha" ]; then fail_step damaged "$staged" && return; fi
  if [ "$was" != absent ] && [ "$(sha_of "$entry/backup")" != "$was" ]; then fail_step changed && return; fi
  finish file
}
drain() { dd bs=1 count="$f_size" >/dev/null 2>&1; }

install() {
  if [ -n "$step_failed" ]; then refuse skipped && finish install && return; fi
  told=$( { { [ "$files" = 0 ] || flush "$pending"/[0-9]*/* "$pending"/[0-9]*; } && flush "$pending" "$folder" && printf '1 %s\n' "$f_confirm" >"$pending/alive" &&
    : >"$pending/armed"; } 2>&1) || { fail_step write "$told" && return; }
  watch_out
  state=installed
  for entry in "$pending"/[0-9]*; do
    [ -d "$entry" ] || continue
    IFS= read -r target <"$entry/path"
    IFS= read -r was <"$entry/old"
    if [ "$(state_of "$target")" != "$was" ]; then take_back changed && return; fi
    told=$(mv -f "$target.$run_name" "$target" 2>&1) || { take_back write "$told" && return; }
    told=$(flush "${target%/*}") || { take_back write "$told" && return; }
  done
  finish install
}
take_back() {
  refuse "$@"
  step_failed=yes
  answer=$out
  if undo rolled-back >/dev/null 2>&1; then undone=yes; else undone=no; fi
  out=$answer
  say "undone=$undone"
  finish install
}

# ---- the dead-man switch ------------------------------------------------------------------------------------

# Starts a process of its own session that undoes the change unless it hears of us in time.
watch_out() {
  {
    as_theirs
    [ -n "$detached" ] || trap '' HUP
    exec $detached /bin/sh "$pending/script" watch
  } </dev/null >/dev/null 2>&1 &
  watcher=$!
}
watch() {
  trap '' HUP
  heard= left=60
  while [ -e "$pending/armed" ]; do
    read -r beat patience 2>/dev/null <"$pending/alive" || beat=$heard
    if [ "$beat" != "$heard" ]; then heard=$beat left=$patience; fi
    [ "$left" -gt 0 ] || break
    left=$((left - 1))
    sleep 1
  done
  [ -e "$pending/armed" ] || return 0
  undo dead-man
  # Whoever armed us hears nobody any more. Alive, it would keep the lock until its connection is given up.
  if read -r pid start run _ 2>/dev/null <"$folder/lock" && [ "sync-creds-$run" = "$run_name" ]; then
    ! is_running "$pid" "$start" || kill -KILL "$pid"
    rm -f "$folder/lock" "$folder/lock.$run"
  fi
}
beats=1
alive() {
  beats=$((beats + 1))
  printf '%s %s\n' "$beats" "$((f_confirm + $1))" >"$pending/alive.new" && mv -f "$pending/alive.new" "$pending/alive"
}

# ---- restart ------------------------------------------------------------------------------------------------

# Restarts the wrapper and proves that what listens now is new. Says `listening` as soon as it is so, then stays for
# the stability window. Reports the new process and what would shadow the file in it.
restart() {
  if [ -n "$step_failed" ]; then refuse skipped && finish restart && return; fi
  [ "$state" != installed ] || { : >"$pending/restarting" && alive $((f_timeout + f_start + f_stability / 1000)); }
  find_wrapper
  old_pid=$w_pid old_start=$w_start old_socket=$w_socket
  if ! by_kind || ! comes_up; then log_tail; fi
  [ -z "$w_pid$w_socket" ] || say "wrapper=${w_pid:-?} ${w_start:-?} ${w_uid:-?} ${w_socket:-?}"
  [ -z "$w_pid" ] || shadows_of "$w_pid"
  [ "$state" != installed ] || alive 0
  finish restart
}

by_kind() {
  case $f_kind in
    none) say "listening=unchanged" ;;
    systemd) restart_unit ;;
    process) restart_process ;;
    command) restart_by_command ;;
  esac
}
comes_up() { [ "$f_kind" = none ] || { wait_until_new && wait_until_stable; }; }

restart_unit() {
  if [ "$f_scope" = user ]; then
    bounded "$f_timeout" 'XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} exec systemctl --user restart "$1"' sh "$f_unit"
  else
    bounded "$f_timeout" 'exec systemctl --no-ask-password restart "$1"' sh "$f_unit"
    if [ "$rc" != 0 ] && [ "$rc" != 124 ] && [ "$(id -u)" != 0 ] && have sudo; then
      refused=$told
      bounded "$f_timeout" 'exec sudo -n systemctl --no-ask-password restart "$1"' sh "$f_unit"
      told="$refused
$told"
    fi
  fi
  restart_succeeded
}
restart_by_command() {
  bounded "$f_timeout" "$f_restart"
  restart_succeeded
}
restart_succeeded() {
  case $rc in
    0) return 0 ;;
    124) refuse hangs "$told" ;;
    *) refuse command "exit status $rc
$told" ;;
  esac
  return 1
}

restart_process() {
  pid_file=$folder/wrapper-$f_port.pid
  run_in=$(expand "$f_directory")
  log_file=$(expand "$f_log")
  # What cannot be started anew is not stopped.
  told=$( (cd "$run_in" && : >>"$log_file") 2>&1) || { refuse command "$told" && return 1; }
  remember_path
  rounds=0
  while [ -n "$w_pid" ] && [ "$rounds" -lt 3 ]; do
    if [ "$(foreign "$w_pid")" = yes ] && [ "$rounds" = 0 ]; then
      refuse foreign "process $w_pid: $(tr '\0' ' ' <"/proc/$w_pid/cmdline" 2>/dev/null | cut -c 1-120)"
      return 1
    fi
    stop_process "$w_pid" "$w_start"
    rounds=$((rounds + 1))
    wait_until_free
  done
  if [ -n "$w_socket" ]; then refuse port-taken "port $f_port is still taken" && return 1; fi
  {
    cd "$run_in" || exit 1
    as_theirs
    [ "$dir" = "$HOME/.claude" ] || { CLAUDE_CONFIG_DIR=$dir && export CLAUDE_CONFIG_DIR; }
    [ -n "$detached" ] || trap '' HUP
    exec $detached /bin/sh -l -c "${their_path:+PATH=\$1; export PATH; }$f_command" sh "$their_path"
  } </dev/null >>"$log_file" 2>&1 &
  new_pid=$!
  new_start=$(start_of "$new_pid")
  # The socket names the process as well, should there be no room for this.
  printf '%s %s\n' "$new_pid" "$new_start" >"$pid_file" || rm -f "$pid_file"
}

# The wrapper was started with a PATH that finds its programs; a shell over ssh may know a poorer one. The way back
# needs it too, when nothing runs any more that could tell.
their_path=
remember_path() {
  found_path=
  [ -z "$w_pid" ] || found_path=$(variable_of "$w_pid" PATH)
  [ -z "$found_path" ] || their_path=$found_path
  [ "$state" != installed ] || printf '%s\n' "$their_path" >"$pending/their_path"
}

# A process of several threads is gone before its sockets are: nobody holds the port then, and yet it listens.
wait_until_free() {
  now
  give_up=$((clock + 200))
  while find_wrapper && [ -n "$w_socket" ] && [ -z "$w_pid" ] && [ "$clock" -lt "$give_up" ]; do
    nap 0.01
    now
  done
}

# Asks, waits up to ten seconds, then insists. By pid and start time; what we started ourselves leads its own group.
stop_process() {
  if read -r pid start 2>/dev/null <"$pid_file" && [ "$pid" = "$1" ]; then group=-$1; else group=$1; fi
  kill -TERM "$group" 2>/dev/null || kill -TERM "$1" 2>/dev/null
  now
  give_up=$((clock + 1000))
  while is_running "$1" "$2"; do
    now
    if [ "$clock" -gt "$give_up" ]; then kill -KILL "$group" 2>/dev/null || kill -KILL "$1" 2>/dev/null; fi
    [ "$clock" -le $((give_up + 200)) ] || return 1
    nap 0.01
  done
}

# The port listens again, on a socket and in a process that were not there before.
wait_until_new() {
  now
  give_up=$((clock + f_start * 100))
  pause=0.01
  while :; do
    find_wrapper
    if [ ! -r /proc/net/tcp ] && ! have lsof; then say "listening=unknown" && return 0; fi
    case $f_kind/${w_state:-active}/${w_restarts:-0} in
      process/*) is_running "$new_pid" "$new_start" || { refuse exited && return 1; } ;;
      systemd/failed/* | systemd/*/[3-9] | systemd/*/[1-9][0-9]*) refuse exited && return 1 ;;
    esac
    if is_new && is_theirs_up; then break; fi
    now
    if [ "$clock" -gt "$give_up" ]; then
      if [ -n "$w_socket" ] && [ "$w_socket" = "$old_socket" ]; then refuse same-process; else refuse not-listening; fi
      return 1
    fi
    nap "$pause"
    case $pause in 0.01) pause=0.02 ;; 0.02) pause=0.05 ;; *) pause=0.1 ;; esac
  done
  if [ "$f_kind" = process ] && [ -r /proc/self/stat ]; then
    holder=$new_pid
    holds "$new_pid" "$w_socket" || holder=$(holder_of "$w_socket")
    began=$(start_of "${holder:-0}" 2>/dev/null)
    if [ "${began:-0}" -lt "$new_start" ]; then
      refuse port-taken "port $f_port belongs to process ${holder:-of another user}"
      return 1
    fi
  fi
  say "listening=yes"
  send
}
is_new() {
  [ -n "$w_socket" ] && [ "$w_socket" != "$old_socket" ] && { [ -z "$w_pid" ] || [ "$w_pid/$w_start" != "$old_pid/$old_start" ]; }
}
is_theirs_up() { [ "$f_kind" != command ] || [ -z "$f_status" ] || /bin/sh -c "$f_status" </dev/null >/dev/null 2>&1; }
wait_until_stable() {
  stable_pid=$w_pid stable_start=$w_start stable_socket=$w_socket stable_restarts=$w_restarts
  now
  until_clock=$((clock + f_stability / 10))
  while [ "$clock" -lt "$until_clock" ]; do
    nap 0.1
    find_wrapper
    if [ "$w_socket" != "$stable_socket" ] || [ "$w_pid/$w_start" != "$stable_pid/$stable_start" ] || [ "$w_restarts" != "$stable_restarts" ]; then
      refuse unstable
      return 1
    fi
    now
  done
}

# The last lines of the wrapper's own log. They are cut far beyond what the other side shows: it takes secrets out first,
# and must not be left with half of one.
log_tail() { each log "$(log_lines)"; }
log_lines() {
  case $f_kind in
    systemd)
      if [ "$f_scope" = user ]; then journalctl --user -u "$f_unit" -n 15 --no-pager -o cat 2>/dev/null
      else journalctl -u "$f_unit" -n 15 --no-pager -o cat 2>/dev/null; fi ;;
    process | command) [ -z "$f_log" ] || tail -n 15 "$(expand "$f_log")" 2>/dev/null ;;
  esac | cut -c 1-2000
}

# ---- the two ends: commit, or undo --------------------------------------------------------------------------

commit() {
  if mv "$pending/armed" "$pending/committed" 2>/dev/null; then
    state=committed
    kill "$watcher" 2>/dev/null
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    kept=$folder/backups/$stamp-$run_name
    [ -d "$folder/backups" ] || mkdir "$folder/backups" 2>/dev/null
    mv "$pending" "$kept" 2>/dev/null || rm -rf "$pending"
    remember committed "$stamp"
    drop_lock
    finish commit
    tidy_backups
  else
    refuse undone
    finish commit
  fi
}

# What is only of use to a change under way goes, and so does what is older than the last five.
tidy_backups() {
  if [ -d "$kept/1" ]; then rm -f "$kept/script" "$kept/alive" "$kept/restarting" "$kept/their_path"; else rm -rf "$kept"; fi
  ls -1 "$folder/backups" | sort -r | tail -n +6 | while IFS= read -r old_backup; do rm -rf "$folder/backups/$old_backup"; done
}

remember() {
  printf "%s$tab%s$tab%s$tab%s\n" "${2:-$(date -u +%Y%m%dT%H%M%SZ)}" "$run_name" "$1" "$f_who" >>"$folder/history"
}

# Puts every file back as it was, unless somebody else has changed it since, and restarts if a restart had begun.
# A copy that does not match its own checksum is not put back: better a wrong login than a broken file.
undo() {
  if ! mv "$pending/armed" "$pending/undoing" 2>/dev/null; then
    read -r pid start 2>/dev/null <"$pending/undoer" || pid=
    if [ -n "$pid" ] && [ "$pid" != $$ ] && is_running "$pid" "$start"; then refuse busy && return 1; fi
    if [ ! -e "$pending/undoing" ] && [ -e "$pending/committed" ]; then rm -rf "$pending" && return 0; fi
  fi
  printf '%s %s\n' "$$" "$(start_of $$)" >"$pending/undoer"
  undone=yes
  for entry in "$pending"/[0-9]*; do
    [ -d "$entry" ] || continue
    put_back "$entry" || undone=$reason
  done
  case $undone in
    yes) ;;
    changed) set_aside && return 1 ;;
    *) remember undo-failed && return 1 ;;
  esac
  if [ -e "$pending/restarting" ]; then
    state=undoing
    step_failed=
    restart
  fi
  remember "$1"
  rm -rf "$pending"
  state=idle
  drop_lock
}

# Somebody else has written the file since: theirs stays, the former one is kept, and the host is free again.
set_aside() {
  [ -d "$folder/backups" ] || mkdir "$folder/backups"
  mv "$pending" "$folder/backups/$(date -u +%Y%m%dT%H%M%SZ)-$run_name"
  remember conflict
  state=idle
  drop_lock
}

put_back() {
  reason=failed
  IFS= read -r target 2>/dev/null <"$1/path" || return 0
  IFS= read -r was 2>/dev/null <"$1/old" || return 0
  IFS= read -r became 2>/dev/null <"$1/new" || return 0
  rm -f "$target.$run_name"
  found=$(state_of "$target")
  [ "$found" != "$was" ] || return 0
  if [ "$found" != "$became" ]; then reason=changed && refuse changed "$target" && return 1; fi
  if [ "$was" = absent ]; then
    told=$( { rm -f "$target" && flush "${target%/*}"; } 2>&1) || { refuse write "$told" && return 1; }
  else
    if [ "$(sha_of "$1/backup")" != "$was" ]; then refuse damaged "$1/backup" && return 1; fi
    # On a full disk there is no room for a copy: then the backup itself goes back.
    told=$( {
      { cp -p "$1/backup" "$target.$run_name" && flush "$target.$run_name" && mv -f "$target.$run_name" "$target"; } ||
        { rm -f "$target.$run_name" && mv -f "$1/backup" "$target"; }
      } 2>&1 && flush "${target%/*}") || { refuse write "$told" && return 1; }
  fi
}

rollback() {
  if [ ! -e "$pending" ]; then say "undone=earlier"; else undo rolled-back && say "undone=yes"; fi
  finish rollback
}

# A leftover of a run that did not come to an end.
recover() {
  take_lock || { refuse busy && finish recover && return; }
  pending=$folder/pending
  if [ -e "$pending" ]; then
    load_pending
    if undo recovered; then say "undone=yes"; elif [ ! -e "$pending" ]; then say "undone=set-aside"; fi
  fi
  drop_lock
  finish recover
}

# What `pending` says about the run that made it.
load_pending() {
  IFS= read -r run_name 2>/dev/null <"$pending/run" || run_name=unknown
  IFS= read -r f_who 2>/dev/null <"$pending/who" || f_who=unknown
  [ ! -r "$pending/recipe" ] || fields <"$pending/recipe"
  IFS= read -r their_path 2>/dev/null <"$pending/their_path" || their_path=
  dir=$f_dir
}

# ---- main ---------------------------------------------------------------------------------------------------

on_exit() {
  case $state in
    begun) abandon ;;
    installed) alive 0 2>/dev/null ;; # cut off in a restart: its long patience is over
  esac
  drop_lock # the change, if there is one, is the watch process's now
}

serve() {
  trap on_exit EXIT
  trap 'exit 129' HUP
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  IFS= read -r nonce || exit 1
  out="
"
  no_fields
  run_name=
  while IFS= read -r verb; do
    f_more=
    fields
    run_name=sync-creds-$f_run
    case $verb in
      probe | begin | file | install | restart | commit | rollback | recover) "$verb" ;;
      alive)
        [ "$state" != installed ] || alive 0
        finish alive ;;
      *) refuse protocol && send && exit 1 ;;
    esac
  done
}

case ${1-serve} in
  serve) serve ;;
  *)
    pending=${0%/*}
    folder=${pending%/*}
    watcher= nonce=sync-creds:
    no_fields
    load_pending
    case $1 in watch) watch ;; undo) undo by-hand ;; *) exit 2 ;; esac
    send
    ;;
esac
