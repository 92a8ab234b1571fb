# Part of sync-creds' remote half: which process the wrapper is, and how its supervisor restarts it. Functions only;
# remote-half.sh says when they run. By pid and start time, never by a pattern over command lines.

# ---- processes ----------------------------------------------------------------------------------------------

# A process is its pid and its start time: a pid alone comes round again. Sets began, empty for one that has ended.
start_of() {
  began=
  if [ -r "/proc/$1/stat" ]; then
    if tool start "$1"; then began=$reply && return; fi
    IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" = Z ] || began=${20-}
  elif [ ! -r /proc/self/stat ]; then
    began=$(ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' _)
  fi
}
is_running() { [ -n "$1" ] && [ -n "$2" ] && start_of "$1" && [ "$began" = "$2" ]; }

# Sets socket and socket_uid: what listens on port $1, and whose it is. Not read further than needed: the kernel makes up
# these files from a table that grows with the machine's memory, and each walk through all of it takes 2 ms where there are
# 24 GB.
find_listener() {
  socket= socket_uid=
  if [ -z "$1" ]; then return; fi
  tool listener "$1" || reply=$(awk -v port="$1" 'BEGIN {
    port = sprintf("%04X", port)
    for (i = 1; i < ARGC; i++)
      while ((getline <ARGV[i]) > 0)
        if ($4 == "0A" && substr($2, length($2) - 3) == port) { print $8, $10; exit }
  }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  socket_uid=${reply% *} socket=${reply#* }
}
# Whether nobody listens there, as far as somebody can tell without those walks: where nothing is found, they are four.
is_free() {
  have ss && told=$(ss -Hltn "sport = :$f_port" 2>/dev/null) && [ -z "$told" ]
}

# Sets holder, the process that holds a listening socket; of several workers the one that started first. Fails where none is
# seen: it may be of another account.
find_holder() {
  if tool holder "$1"; then holder=$reply && [ -n "$holder" ]; return; fi
  holder=$(ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v want="socket:[$1]" \
    '/^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3] } $NF == want { print pid }' |
    sort -un | while read -r candidate; do start_of "$candidate" && echo "$began $candidate"; done | sort -n |
    { read -r _ first && echo "$first"; })
}

holds() {
  if tool holds "$1" "$2"; then [ "$reply" = yes ]; return; fi
  case $(ls -l "/proc/$1/fd" 2>/dev/null) in *"socket:[$2]"*) return 0 ;; *) return 1 ;; esac
}
# By itself, or through its parent: pm2 keeps the socket of a cluster open.
serves() { holds "$1" "$2" || holds "$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status" 2>/dev/null)" "$2"; }

# A process that we have started ourselves is known without a look at the port. Sets w_pid, w_start and w_uid.
find_ours() {
  forget_wrapper
  [ "$f_kind" = process ] && find_noted || return 1
  [ ! -O "/proc/$w_pid" ] || w_uid=$uid
}
find_noted() {
  read -r pid start 2>/dev/null <"$folder/wrapper-$f_port.pid" && is_running "$pid" "$start" || return 1
  w_pid=$pid w_start=$start w_noted=yes
}
forget_wrapper() { w_pid= w_start= w_uid= w_socket= w_state= w_restarts= w_named= w_noted=; }

# Finds the wrapper: sets w_pid, w_start, w_uid, w_socket (empty where unknown), and where a supervisor tells, w_state,
# w_restarts and w_named, the pid by its word.
find_wrapper() {
  forget_wrapper
  if is_container; then find_container && return; fi
  if [ -r /proc/net/tcp ]; then
    find_listener "$f_port"
    w_uid=$socket_uid w_socket=$socket
  elif have lsof && [ -n "$f_port" ]; then
    w_socket=$(lsof -nP -iTCP:"$f_port" -sTCP:LISTEN -t 2>/dev/null | head -n 1)
    w_pid=$w_socket
  fi
  case $f_kind in
    systemd) find_unit ;;
    pm2) find_pm2 ;;
    supervisor) find_program ;;
    launchd) find_job ;;
  esac
  w_named=$w_pid
  [ "$f_kind" != process ] || find_noted
  [ -n "$w_pid" ] || [ -z "$w_socket" ] || { find_holder "$w_socket"; w_pid=$holder; }
  [ -z "$w_pid" ] || [ -n "$w_noted" ] || { start_of "$w_pid" && w_start=$began; }
}

# A process's variables, one a line; the last one of a name counts. pm2 gives the processes of a cluster theirs as JSON.
environment_of() {
  case $f_kind in
    process | systemd) exec tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" ;;
    *) tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" |
      awk '/^pm2_env=/ { gsub(/":"/, "="); gsub(/[{}",]+/, "\n") } { print }' ;;
  esac
}
variable_of() { environment_of "$1" | sed -n "/^$2=/h; \$ { g; s/^$2=//p; }"; }

# Runs a command line ($2, its arguments after it) for at most $1 seconds in a session of its own, away from our
# streams. Sets rc (124 when time was up) and told, the end of what it printed.
bounded() {
  limit=$1
  shift
  printed=$folder/printed.$$
  # Braces, not parentheses, before every `&`: yash would put a second process between, and `$!` would name that.
  { as_theirs && exec $detached /bin/sh -c "$@"; } </dev/null >"$printed" 2>&1 4>&- 5<&- &
  child=$!
  {
    sleep "$limit" &
    alarm=$!
    trap 'kill "$alarm"; exit' TERM
    wait "$alarm"
    : >"$printed.late"
    kill -TERM "-$child" || kill -TERM "$child"
    sleep 1
    kill -KILL "-$child" || kill -KILL "$child"
  } </dev/null >/dev/null 2>&1 4>&- 5<&- &
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

# Asks a supervisor, and once more through sudo where this account gets no answer (3: the program does not run).
ask() {
  "$@" 2>/dev/null && return
  case $? in 3) return 3 ;; esac
  ! is_root && have sudo && sudo -n "$@" 2>/dev/null
}

# A supervisor's command in folder $1: by this account, and once more through sudo where that is refused.
bounded_by_root() {
  bounded "$f_timeout" 'cd "$1" && shift && exec "$@"' sh "$@"
  if [ "$rc" != 0 ] && [ "$rc" != 124 ] && ! is_root && have sudo; then
    refused=$told
    bounded "$f_timeout" 'cd "$1" && shift && exec sudo -n "$@"' sh "$@"
    told="$refused
$told"
  fi
}

# ---- each supervisor: find, restart -------------------------------------------------------------------------

# systemctl for the unit's scope. A user's manager is found through a variable that ssh and sudo do not set.
manager() {
  if [ "$f_scope" = user ]; then
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} systemctl --user --no-ask-password "$@"
  else
    systemctl --no-ask-password "$@"
  fi
}
find_unit() {
  unit=$f_unit
  unit_facts=$(manager show -p Id -p MainPID -p NRestarts -p ActiveState -p LoadState -p FragmentPath -p DropInPaths \
    -p EnvironmentFiles -p WorkingDirectory "$f_unit" 2>/dev/null)
  for fact in $unit_facts; do
    case $fact in
      Id=*) unit=${fact#*=} ;; # `wrapper` is `wrapper.service`, or another name of it
      MainPID=0) ;;
      MainPID=*) w_pid=${fact#*=} ;;
      NRestarts=*) w_restarts=${fact#*=} ;;
      LoadState=not-found) w_state=not-found ;;
      ActiveState=*) [ -n "$w_state" ] || w_state=${fact#*=} ;;
    esac
  done
}
restart_unit() {
  if [ "$f_reload" = yes ]; then control daemon-reload && restart_succeeded || return 1; fi
  control restart "$f_unit"
  restart_succeeded
}
control() {
  if [ "$f_scope" = user ]; then
    bounded "$f_timeout" 'XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} exec systemctl --user "$@"' sh "$@"
  else
    bounded_by_root / systemctl --no-ask-password "$@"
  fi
}

# A container's port may be held by nobody that we can see; its own main process tells whether it is a new one.
is_container() { case $f_kind in docker | docker-compose) return 0 ;; *) return 1 ;; esac; }
# Sets compose: `docker compose`, or the older program of its own.
find_compose() {
  compose='docker compose'
  ! have docker-compose || docker compose version >/dev/null 2>&1 || compose=docker-compose
}
find_container() {
  container=$f_name
  w_state=not-found
  if [ "$f_kind" = docker-compose ]; then
    find_compose
    # shellcheck disable=SC2086
    container=$(expand "$f_directory" && cd "$expanded" 2>/dev/null && ask $compose ps -a -q "$f_service") || return 0
    container=${container%%[!0-9a-f]*}
    [ -n "$container" ] || w_state=absent # the service is there, a container of it not yet
  fi
  [ -n "$container" ] || return 0
  # shellcheck disable=SC2046
  set -- $(ask docker inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}} {{.State.Status}}' "$container")
  [ "$#" = 4 ] || return 0
  [ "$1" = 0 ] || w_pid=$1
  w_start=$2 w_restarts=$3 w_state=$4
}
restart_container() {
  if [ "$f_kind" = docker ]; then
    bounded_by_root / docker restart "$f_name"
  else
    # Recreated, not restarted: only then are its env files read again.
    find_compose
    expand "$f_directory"
    # shellcheck disable=SC2086
    bounded_by_root "$expanded" $compose up -d --no-deps --force-recreate "$f_service"
  fi
  restart_succeeded
}

# pm2 keeps a file with the pid of each process. Only about one that is stopped pm2 itself must be asked, and only where
# its daemon runs: the question would start one.
find_pm2() {
  pm2_home=${PM2_HOME:-$HOME/.pm2}
  w_state=not-found
  for pid_file in "$pm2_home/pids/$(printf '%s' "$f_name" | tr -c 'A-Za-z0-9.-' -)"-*.pid; do
    pid=$(cat "$pid_file" 2>/dev/null) && [ -n "$pid" ] && start_of "$pid" && [ -n "$began" ] || continue
    if [ -r "/proc/$pid/environ" ] && ! environment_of "$pid" | grep -q -x -F "name=$f_name"; then continue; fi
    w_pid=$pid w_state=online
    return 0
  done
  if [ "${verb-}" != probe ]; then w_state=stopped
  elif find_pm2_daemon && find_pm2_path &&
    /bin/sh -c "$pm2_alone" "$pm2_home" "$path" "$run_pm2" pm2 pid "$f_name" 2>/dev/null | grep -q '^[0-9]'; then w_state=stopped; fi
}
find_pm2_daemon() {
  daemon=$(cat "$pm2_home/pm2.pid" 2>/dev/null) && [ -n "$daemon" ] &&
    { grep -q 'God Daemon' "/proc/$daemon/cmdline" || ps -o command= -p "$daemon" | grep -q 'God Daemon'; } 2>/dev/null
}
# Sets path: that of the app, where pm2 and node are in it; the daemon's has them, a login's often not.
find_pm2_path() {
  path=$(variable_of "${w_pid:-0}" PATH)
  (PATH=$path && command -v pm2 && command -v node) >/dev/null 2>&1 ||
    path=${path:+$path:}$(variable_of "$daemon" PATH):$PATH
}
# pm2 adds its own environment to the app's and takes nothing away. So it runs with nothing in it but what shall be
# different; what shall be gone is emptied, which Claude Code takes for absent.
pm2_alone='home=$0 path=$1; shift; exec env -i PM2_HOME="$home" PATH="$path" /bin/sh -c "$@"'
run_pm2='unset PWD OLDPWD SHLVL; exec pm2 "$@"'
restart_pm2() {
  if ! find_pm2_daemon; then refuse command "pm2's daemon does not run" && return 1; fi
  find_pm2_path
  keep_environment "$(echo $our_variables $f_unset | tr ' ' '|')"
  without=$f_unset with=$f_env had=
  if [ "$state" = undoing ]; then
    without= with= had=$environment
    if [ -r "$pending/pm2" ]; then { IFS= read -r path && IFS= read -r without; } <"$pending/pm2"; fi
  elif [ "$state" = installed ]; then
    printf '%s\n%s\n' "$path" "$([ -z "$with" ] || sed -n 's/=.*//p' "$with" | tr '\n' ' ')" >"$pending/pm2"
  fi
  set -- restart "$f_name"
  [ -z "$without$with$had" ] || set -- "$@" --update-env
  bounded "$f_timeout" "$pm2_alone" "$pm2_home" "$path" \
    "$empty_names$our_environment$had_environment$no_more_arguments$run_pm2" "$had" "$without" "$with" "$@"
  restart_succeeded
}

supervisorctl_() {
  expand "$f_config"
  ask supervisorctl ${expanded:+-c "$expanded"} "$@"
}
find_program() {
  # shellcheck disable=SC2046
  set -- $(supervisorctl_ status "$f_name")
  case ${2-} in
    RUNNING) w_pid=${4%,} w_state=running ;;
    STARTING | STOPPED | STOPPING | BACKOFF | FATAL | EXITED) w_state=$2 ;;
    *) w_state=not-found ;;
  esac
}
restart_program() {
  expand "$f_config"
  set -- / supervisorctl ${expanded:+-c "$expanded"}
  if [ "$f_reload" = yes ]; then
    bounded_by_root "$@" reread && restart_succeeded || return 1
    bounded_by_root "$@" update "${f_name%%:*}" && restart_succeeded || return 1
  fi
  bounded_by_root "$@" restart "$f_name"
  restart_succeeded
}

# A user's jobs live in the domain of the graphical session; without one, in that of the user alone. The description
# holds values of variables: of it only these lines are read.
find_job() {
  case $f_scope in system) set -- system ;; *) set -- "gui/$uid" "user/$uid" ;; esac
  w_state=not-found job=$1/$f_name
  for domain in "$@"; do
    told=$(launchctl print "$domain/$f_name" 2>/dev/null |
      sed -n -E 's/^[[:space:]]*(pid|state|stdout path|stderr path) = /\1=/p')
    [ -n "$told" ] || continue
    job=$domain/$f_name
    w_pid=$(printf '%s\n' "$told" | sed -n 's/^pid=//p' | head -n 1)
    w_state=$(printf '%s\n' "$told" | sed -n 's/^state=//p' | head -n 1)
    job_logs=$(printf '%s\n' "$told" | sed -n 's/^std... path=//p')
    return 0
  done
}
restart_job() {
  bounded_by_root / launchctl kickstart -k "$job"
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

# ---- the environment that a wrapper is started with ---------------------------------------------------------

# What the old process had is kept for the new one, and for the way back, when nothing runs any more that could tell: as
# a script that sets it again, in a file, for its values may be secrets. $1: an ERE of the names. The restart begins when
# the file is whole.
environment=
keep_environment() {
  environment=
  case $state in installed | undoing) ;; *) return 0 ;; esac
  environment=$pending/environment
  # On the way back, where none was kept, the old process has not been touched yet. Another account's shows nothing.
  if [ ! -e "$pending/restarting" ]; then
    case $f_kind in pm2) environment_of "${w_pid:-0}" | as_script "$1" >"$environment" ;; *) save_environment "${w_pid:-0}" ;; esac
  fi
  begin_restart
  [ -s "$environment" ] || environment=
}
save_environment() {
  if tool environment "$1" "$environment"; then return; fi
  tr '\000\n' '\n\001' 2>/dev/null <"/proc/$1/environ" | as_script '[A-Za-z_][A-Za-z0-9_]*' >"$environment"
}
as_script() {
  sed -n -E "/^(UID|EUID|PPID|PWD|OLDPWD|BASHOPTS|SHELLOPTS|BASH_VERSINFO)=/d; /^($1)=/!d
    s/'/'\\\\''/g; s/^([^=]*)=(.*)\$/export \1='\2'/; y/$(printf '\001')/\\n/; p"
}
# From here on the old process may be gone: the way back has to restart too.
begin_restart() { [ "$state" != installed ] || : >"$pending/restarting"; }
our_variables='ANTHROPIC_API_KEY CLAUDE_CODE_OAUTH_TOKEN'
# What Claude Code prefers to a credentials file.
outranking='ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL ANTHROPIC_PROFILE ANTHROPIC_FEDERATION_RULE_ID CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_SIMPLE CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_USE_FOUNDRY CLAUDE_CODE_USE_ANTHROPIC_AWS CLAUDE_CODE_USE_MANTLE CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR'
# Texts for `sh -c`: $0 is that script, $1 are names to be without, $2 is an env file of ours. Each is true in the end.
had_environment='[ -z "$0" ] || . "$0"
'
# What a login has and the old process had not. The profile has been read: a command may need its functions.
only_theirs='[ -z "$0" ] || {
  set -f
  IFS="
"
  for line in $(export -p); do
    line=${line#export } line=${line#declare -x }
    name=${line%%=*}
    case $name in CLAUDE_CONFIG_DIR | UID | EUID | PPID | "" | [0-9]* | *[!A-Za-z0-9_]*) ;; *) unset "$name" ;; esac
  done
  unset IFS
  set +f
}
'
unset_names='for name in $1; do unset "$name"; done
'
empty_names='for name in $1; do export "$name="; done
'
our_environment='[ -z "$2" ] || while IFS="=" read -r name value; do case $name in [A-Z]*) export "$name=$value" ;; esac; done <"$2"
'
no_more_arguments='shift 2
'

# ---- a process of our own -----------------------------------------------------------------------------------

restart_process() {
  pid_file=$folder/wrapper-$f_port.pid
  expand "$f_directory" && run_in=$expanded
  expand "$f_log" && log_file=$expanded
  # What cannot be started anew is not stopped.
  try can_start || { refuse command "$told" && return 1; }
  if [ -n "$w_pid" ] && is_foreign "$w_pid"; then
    refuse foreign "process $w_pid: $(tr '\0' ' ' <"/proc/$w_pid/cmdline" 2>/dev/null | cut -c 1-120)"
    return 1
  fi
  keep_environment '[A-Za-z_][A-Za-z0-9_]*'
  rounds=0
  while [ -n "$w_pid" ] && [ "$rounds" -lt 3 ]; do
    if is_alone "$w_pid"; then single=yes; else single=no; fi
    rounds=$((rounds + 1))
    if stop_process "$w_pid" "$w_start" && [ "$single" = yes ]; then forget_wrapper; else wait_until_free; fi
  done
  if [ -n "$w_socket" ]; then refuse port-taken "port $f_port is still taken" && return 1; fi
  leave_out=$f_unset bring_in=$f_env
  [ "$state" != undoing ] || leave_out= bring_in=
  {
    cd "$run_in" || exit 1
    as_theirs
    [ "$dir" = "$HOME/.claude" ] || { CLAUDE_CONFIG_DIR=$dir && export CLAUDE_CONFIG_DIR; }
    [ -n "$detached" ] || trap '' HUP
    exec $detached /bin/sh -l -c "$only_theirs$had_environment$unset_names$our_environment$no_more_arguments $f_command" "$environment" "$leave_out" "$bring_in"
  } </dev/null >>"$log_file" 2>&1 4>&- 5<&- &
  new_pid=$!
  start_of "$new_pid" && new_start=$began
  # The socket names the process as well, should there be no room for this.
  printf '%s %s\n' "$new_pid" "$new_start" >"$pid_file" || rm -f "$pid_file"
}

can_start() { cd "$run_in" && printf '' >>"$log_file"; }

# Whether the process on the port is neither ours, nor started in the wrapper's folder, nor by its command line.
is_foreign() {
  [ -z "$w_noted" ] || return 1
  expand "$f_directory"
  [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$(cd -P "$expanded" 2>/dev/null && pwd)" ] && return 1
  case " $(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null)" in *" $f_command "*) return 1 ;; esac
}

# A process without threads and children: when it is gone, so are its sockets.
is_alone() {
  kids=
  read -r kids 2>/dev/null <"/proc/$1/task/$1/children"
  [ -r "/proc/$1/task/$1/children" ] && [ -z "$kids" ] || return 1
  set -- "/proc/$1/task"/*
  [ "$#" = 1 ]
}
# Otherwise it may be gone before they are: nobody holds the port then, and yet it listens.
wait_until_free() {
  if is_free; then forget_wrapper && return; fi
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

# ---- restart ------------------------------------------------------------------------------------------------

# Restarts the wrapper and proves that what listens now is new. Says `listening` as soon as it is so, then stays for
# the stability window. Reports the new process and what would shadow the file in it.
restart() {
  if [ -n "$step_failed" ]; then refuse skipped && finish restart && return; fi
  [ "$state" != installed ] || alive $((f_timeout + f_start + f_stability / 1000))
  find_ours || find_wrapper
  old_pid=$w_pid old_start=$w_start old_socket=$w_socket
  if ! by_kind || ! comes_up; then log_tail; fi
  [ -z "$w_pid$w_socket" ] || say "wrapper=${w_pid:-?} ${w_start:-?} ${w_uid:-?} ${w_socket:-?}"
  [ -z "$w_pid" ] || shadows_of "$w_pid"
  [ "$state" != installed ] || alive 0
  finish restart
}

by_kind() {
  case $f_kind in none | process | pm2) ;; *) begin_restart ;; esac
  case $f_kind in
    none) say "listening=unchanged" ;;
    systemd) restart_unit ;;
    process) restart_process ;;
    docker | docker-compose) restart_container ;;
    pm2) restart_pm2 ;;
    supervisor) restart_program ;;
    launchd) restart_job ;;
    command) restart_by_command ;;
  esac
}
comes_up() { [ "$f_kind" = none ] || { wait_until_new && wait_until_stable; }; }

# The port listens again, on a socket and in a process that were not there before.
wait_until_new() {
  now
  give_up=$((clock + f_start * 100))
  looks=0 patience=0.5 has_socket=no
  while :; do
    if [ "$f_kind" != process ] || [ "$patience" = 0.1 ] || may_listen "$new_pid"; then find_wrapper; fi
    if ! is_container && [ ! -r /proc/net/tcp ] && ! have lsof; then say "listening=unknown" && return 0; fi
    case $f_kind/${w_state:-active}/${w_restarts:-0} in
      process/*) is_running "$new_pid" "$new_start" || { refuse exited && return 1; } ;;
      systemd/failed/* | systemd/*/[3-9] | systemd/*/[1-9][0-9]* | docker*/*/[3-9] | docker*/*/[1-9][0-9]* | docker*/exited/* | docker*/dead/* | supervisor/FATAL/* | supervisor/EXITED/*)
        refuse exited && return 1 ;;
    esac
    if is_new && is_theirs_up; then break; fi
    now
    if [ "$clock" -gt "$give_up" ]; then
      if [ -n "$w_socket" ] && [ "$w_socket" = "$old_socket" ]; then refuse same-process; else refuse not-listening; fi
      return 1
    fi
    looks=$((looks + 1))
    # Until it has a socket, it is waited for that. One that lets a child listen has none: its port is looked at all the same.
    if [ "$f_kind/$has_socket" = process/no ] && tool socket "$new_pid" "$new_start" "$patience"; then
      has_socket=$reply patience=0.1
      continue
    fi
    # Where neither waiting nor looking takes a process, it is looked more often.
    case $has_socket/$looks in
      yes/[2-9] | yes/[1-4][0-9]) pause=0.02 ;;
      */1) pause=0.03 ;;
      */2) pause=0.05 ;;
      *) pause=0.1 patience=0.1 ;;
    esac
    nap "$pause"
  done
  if [ "$f_kind" = process ] && [ -r /proc/self/stat ]; then
    holder=$new_pid
    if holds "$new_pid" "$w_socket"; then began=$new_start; else find_holder "$w_socket" && start_of "${holder:-0}"; fi
    if [ "${began:-0}" -lt "$new_start" ]; then
      refuse port-taken "port $f_port belongs to process ${holder:-of another user}"
      return 1
    fi
  fi
  say "listening=yes"
  send
}
# Whether a process of ours has a socket, or hides what it has. Its first moments, in which it has none, are not worth a
# walk through the kernel's table (see `find_listener`); its children's sockets are found a little later.
may_listen() {
  [ -d "/proc/$1/fd" ] || return 0
  for descriptor in "/proc/$1/fd"/*; do [ ! -S "$descriptor" ] || return 0; done
  return 1
}
# A socket that its supervisor keeps open, as pm2 and systemd may, outlives the processes behind it.
is_new() {
  if [ -n "$w_pid" ] && [ "$w_pid/$w_start" = "$old_pid/$old_start" ]; then return 1; fi
  if is_container; then [ "$w_state" = running ]; return; fi
  [ -n "$w_socket" ] && { [ "$w_socket" != "$old_socket" ] || { [ -n "$w_named" ] && serves "$w_named" "$w_socket"; }; }
}
is_theirs_up() { [ "$f_kind" != command ] || [ -z "$f_status" ] || /bin/sh -c "$f_status" </dev/null >/dev/null 2>&1; }
wait_until_stable() {
  stable_pid=$w_pid stable_start=$w_start stable_socket=$w_socket stable_restarts=$w_restarts
  now
  until_clock=$((clock + f_stability / 10))
  while [ "$clock" -lt "$until_clock" ]; do
    nap 0.1
    now
    # Where no supervisor counts restarts, all is as it was while the same process has the same socket.
    case $f_kind in process | command) if is_running "$w_pid" "$w_start" && holds "$w_pid" "$w_socket"; then continue; fi ;; esac
    find_wrapper
    if [ "$w_socket" != "$stable_socket" ] || [ "$w_pid/$w_start" != "$stable_pid/$stable_start" ] || [ "$w_restarts" != "$stable_restarts" ]; then
      refuse unstable
      return 1
    fi
  done
}

# The last lines of the wrapper's own log. They are cut far beyond what the other side shows: it takes secrets out first,
# and must not be left with half of one.
log_tail() { each log "$(log_lines "${1-15}")"; }
log_lines() {
  case $f_kind in
    systemd)
      if [ "$f_scope" = user ]; then journalctl --user -u "$unit" -n "$1" --no-pager -o cat 2>/dev/null
      else journalctl -u "$unit" -n "$1" --no-pager -o cat 2>/dev/null; fi ;;
    docker | docker-compose)
      # A program's last words are on stderr.
      [ -z "$container" ] || docker logs --tail "$1" "$container" 2>&1 ||
        { ! is_root && have sudo && sudo -n docker logs --tail "$1" "$container" 2>&1; } ;;
    pm2) tail -q -n "$1" "$pm2_home/logs/$(printf '%s' "$f_name" | tr -c 'A-Za-z0-9.-' -)"-*.log 2>/dev/null ;;
    supervisor)
      for stream in stdout stderr; do supervisorctl_ tail "-$(($1 * 200))" "$f_name" "$stream" | tail -n "$1"; done |
        grep -v 'ERROR (no log file)' ;;
    launchd)
      printf '%s\n' "${f_log:-$job_logs}" | while IFS= read -r path; do expand "$path" && tail -n "$1" "$expanded"; done 2>/dev/null ;;
    *) [ -z "$f_log" ] || { expand "$f_log" && tail -n "$1" "$expanded"; } 2>/dev/null ;;
  esac | cut -c 1-2000
}
