# Part of sync-creds' remote half: what `sync-creds doctor` asks besides the probe. It looks and changes nothing, as
# look.sh does. Functions only; remote-half.sh says when they run, after a probe.

# Who really runs the wrapper: from the port that listens to its process, and from there to whatever has started it.
inspect() {
  if [ -z "${dir-}" ]; then refuse protocol && finish inspect && return; fi
  say "system=$(uname -srm 2>/dev/null)"
  each os "$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release 2>/dev/null | head -n 1)"
  say "backups=$(ls -1 "$folder/backups" 2>/dev/null | wc -l | tr -d ' ')"
  holder=
  find_listener "$f_port"
  [ -z "$socket" ] || find_holder "$socket"
  # What another account runs shows no sockets; the supervisor of hosts.json may know its pid all the same.
  if [ -n "$holder" ]; then say "holder=port"; elif [ -n "$w_pid" ]; then holder=$w_pid && say "holder=supervisor"; fi
  chain=
  [ -z "$holder" ] || { follow "$holder" && surroundings_of "$holder"; }
  # Whatever has let us in is not what runs the wrapper.
  each own_cgroup "$(groups_of $$)"
  [ "$f_kind" != systemd ] || each main_pid "$(printf '%s\n' "$unit_facts" | sed -n 's/^MainPID=\([1-9]\)/\1/p')"
  find_containers
  find_jobs
  case " $f_ask " in *' claude '*) claude_status ;; esac
  case " $f_ask " in *' log '*) each log "$(log_lines 40)" ;; esac
  finish inspect
}

# A process and those above it: `process=PID NAME`. Of an argument list only what is known to be no secret is told.
follow() {
  at=$1 depth=0
  while [ "${at:-0}" -ge 1 ] && [ "$depth" -lt 20 ]; do
    depth=$((depth + 1))
    if [ -r "/proc/$at/stat" ]; then
      IFS= read -r stat <"/proc/$at/stat" || return 0
      name=${stat#*\(}
      name=${name%)*}
      # shellcheck disable=SC2086
      set -- ${stat##*) }
      parent=${2-}
    else
      # shellcheck disable=SC2046
      set -- $(ps -o ppid= -o comm= -p "$at" 2>/dev/null)
      [ "$#" -ge 2 ] || return 0
      parent=$1
      shift
      name=${*##*/}
    fi
    say "process=$at $name"
    chain="$chain $at "
    case $name in
      'PM2 v'*) find_in_pm2 "$at" ;;
      supervisord*) find_in_supervisord "$at" ;;
    esac
    at=$parent
  done
}

# pm2 notes the pid of each process in a file of its own, and tells the process what it calls it. Its daemon names its folder in its title.
find_in_pm2() {
  pm2_home=$(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | sed -n 's/^PM2 v[^ ]*: God Daemon (\(.*\)).*/\1/p')
  [ -n "$pm2_home" ] || pm2_home=$(variable_of "$1" PM2_HOME)
  [ -n "$pm2_home" ] || pm2_home=$HOME/.pm2
  say "pm2=$pm2_home"
  for pid_file in "$pm2_home"/pids/*-[0-9]*.pid; do
    pid=$(cat "$pid_file" 2>/dev/null) || continue
    case "$chain" in *" ${pid:-none} "*)
      # In the file's name every other character is a dash.
      name=$(variable_of "$pid" name)
      [ -n "$name" ] || { name=${pid_file##*/} && name=${name%-*}; }
      say "pm2_name=$name" ;;
    esac
  done
}

# supervisord tells its children what it calls them; of another account's only its own client knows.
find_in_supervisord() {
  config=$(tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null |
    awk 'take { print; exit } /^(-c|--configuration)$/ { take = 1 } sub(/^(--configuration=|-c)/, "") && $0 != "" { print; exit }')
  say "supervisord=$config"
  for at_pid in $chain; do
    program=$(variable_of "$at_pid" SUPERVISOR_PROCESS_NAME)
    group=$(variable_of "$at_pid" SUPERVISOR_GROUP_NAME)
    [ -n "$program" ] || continue
    [ -z "$group" ] || [ "$group" = "$program" ] || program=$group:$program
    say "program=$program"
    return 0
  done
  # shellcheck disable=SC2086
  each program "$(supervisorctl ${config:+-c "$config"} status 2>/dev/null |
    awk -v pids="$chain" '{ sub(/,$/, "", $4) } $2 == "RUNNING" && index(pids, " " $4 " ") { print $1; exit }')"
}

# The control groups of a process, as systemd makes them.
groups_of() { sed -n 's/^0:://p; s/^[0-9]*:name=systemd://p' "/proc/$1/cgroup" 2>/dev/null; }

# What a process shows of itself, if this account may see it.
surroundings_of() {
  [ -r "/proc/$1/cgroup" ] || return 0
  each cgroup "$(groups_of "$1")"
  each cwd "$(readlink "/proc/$1/cwd" 2>/dev/null)"
  each command "$(tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | awk '
    NR == 1 && /^[A-Za-z0-9_.\/+-]+$/ { printf "%s", $0; next }
    NR == 1 { exit }
    NR == 2 && $0 == "-m" { module = 1; next }
    NR == 2 && /^[A-Za-z0-9_.\/+][A-Za-z0-9_.\/+-]*\.(py|js|mjs|cjs|ts|sh|rb|pl)$/ { printf " %s", $0 }
    NR == 3 && module && /^[A-Za-z0-9_.]+$/ { printf " -m %s", $0 }
    NR > 2 { exit }' | cut -c 1-300)"
  each wrapper_home "$(variable_of "$1" HOME)"
  each wrapper_dir "$(variable_of "$1" CLAUDE_CONFIG_DIR)"
}

# The containers that could be the wrapper's: the one of its process, else those that publish the port.
find_containers() {
  ids=
  [ -z "$holder" ] || ids=$(sed -n 's/^.*[-/]\([0-9a-f]\{64\}\).*$/\1/p' "/proc/$holder/cgroup" 2>/dev/null | sort -u)
  [ -z "$ids" ] || say "container_id=$ids"
  have docker || return 0
  [ -n "$ids" ] || ids=$(docker ps -q --filter "publish=$f_port" 2>/dev/null)
  [ -n "$ids" ] || ! is_container || ids=$(ask docker ps -q --filter "publish=$f_port")
  labels='{{index .Config.Labels "com.docker.compose.service"}} {{index .Config.Labels "com.docker.compose.project.working_dir"}}'
  for id in $ids; do
    each container "$(ask docker inspect -f "{{.State.Pid}} {{.Name}} $labels" "$id")"
  done
}

# The jobs of launchd among the processes: `SCOPE LABEL`.
find_jobs() {
  have launchctl && [ -n "$chain" ] || return 0
  if is_root; then scope=system; else scope=user; fi
  each job "$(launchctl list 2>/dev/null | awk -v pids="$chain" -v scope="$scope" 'index(pids, " " $1 " ") { print scope, $3; exit }')"
  [ "$scope" = system ] || each job "$(launchctl print system 2>/dev/null |
    awk -v pids="$chain" 'NF == 3 && $1 ~ /^[1-9]/ && index(pids, " " $1 " ") { print "system", $3; exit }')"
}

# What Claude Code says that it would use, asked as the wrapper would start it: by its home, folder and PATH, and with
# a word in place of each variable of it that outranks a login, for the method does not depend on the value.
claude_status() {
  have timeout || { say "claude_status=none" && return; }
  home_of=$HOME path_of=$PATH
  set -- DISABLE_AUTOUPDATER=1
  if [ -n "$holder" ] && ! is_container; then
    home_of=$(variable_of "$holder" HOME) && [ -n "$home_of" ] || home_of=$HOME
    path_of=$(variable_of "$holder" PATH) && [ -n "$path_of" ] || path_of=$PATH
    for name in $(tr '\0' '\n' <"/proc/$holder/environ" 2>/dev/null | variables_in place=process - | sed -n '/ empty$/d; s/^env=\([A-Z_]*\) .*/\1/p'); do
      [ "$name" = ANTHROPIC_BASE_URL ] || set -- "$@" "$name=1"
    done
  fi
  [ "$dir" = "$home_of/.claude" ] || set -- "$@" "CLAUDE_CONFIG_DIR=$dir"
  program=$(PATH=$path_of && command -v claude) || program=$HOME/.local/bin/claude
  [ -x "$program" ] || { say "claude_status=none" && return; }
  # shellcheck disable=SC2086
  say "claude_status=$(unset $outranking; cd "${project:-$HOME}" 2>/dev/null &&
    timeout 10 env "HOME=$home_of" "PATH=$path_of" "$@" "$program" auth status --json </dev/null 2>/dev/null |
    head -c 65536 | od -An -v -tx1 | tr -d ' \n')"
}
