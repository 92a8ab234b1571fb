# Part of sync-creds' remote half: how the host is. It looks and changes nothing: no file is written, no program is run
# that would write one. Functions only; remote-half.sh says when they run.

# ---- probe --------------------------------------------------------------------------------------------------

probe() {
  folder=
  if [ -n "${LOGNAME-}" ]; then say "user=uid=$uid($LOGNAME)"; else say "user=$(id)"; fi
  say "home=$HOME"
  ! read -r boot 2>/dev/null </proc/sys/kernel/random/boot_id || say "boot=$boot"
  have sha256sum || have shasum || have sha256 || say "missing=sha256sum"
  expand "${f_dir:-~/.claude}" && folder=$expanded/.sync-creds
  find_ours || find_wrapper
  find_project
  look_for_shadows
  expand "$f_dir" && dir=$expanded
  # Inside a container the variable names a folder of the container.
  if [ -z "$dir" ] && ! is_container; then dir=$wrapper_dir; fi
  case $dir in /*) ;; *) dir=$HOME/.claude ;; esac
  physical "$dir" && dir=$real
  folder=$dir/.sync-creds
  say "dir=$dir"
  [ -z "$w_pid$w_socket" ] || say "wrapper=${w_pid:-?} ${w_start:-?} ${w_uid:-?} ${w_socket:-?}"
  [ -z "$w_state" ] || say "unit=$w_state"
  if [ "$f_kind" = process ] && [ -n "$w_pid" ]; then
    if is_foreign "$w_pid"; then say "foreign=yes"; else say "foreign=no"; fi
  fi
  [ -z "$f_directory" ] || { expand "$f_directory" && kind_of "$expanded" && say "directory=$kind"; }
  claude_version
  if read_lock && is_running "$pid" "$start"; then tell_holder lock; fi
  if [ -e "$folder/pending" ]; then read_change "$folder/pending"; say "pending=$who"; fi
  case $f_ask in *last*) [ ! -r "$folder/history" ] || say "last=$(tail -n 1 "$folder/history")" ;; esac
  set -- "$dir/.credentials.json" "$dir/settings.json" "$folder/wrapper.env" "$folder/api-key" "$folder/api-key.sh"
  [ -z "$project" ] || [ "$project/.claude" = "$dir" ] ||
    set -- "$@" "$project/.claude/settings.json" "$project/.claude/settings.local.json"
  set -- "$@" /etc/claude-code/managed-settings.json /etc/claude-code/managed-settings.d/*.json
  [ -z "$wiring" ] || set -- "$@" "$wiring"
  [ -z "$f_envfile" ] || { expand "$f_envfile" && set -- "$@" "$expanded"; }
  physical "$HOME"
  kind_of "$real" && say "home.is=$kind $real"
  kind_of "$dir" && say "dir.is=$kind $dir"
  free_space
  tell_clock
  tell_files 2 "$real" "$dir" "$@"
}

# Sets real, the path of a folder without links; fails where there is none.
physical() {
  real=
  { cd -P "$1" && real=$PWD && cd "$OLDPWD"; } >/dev/null 2>&1
}

# Ends an answer with files: what `ls` says of all paths, and what those behind the first $1 are. Straight to the other
# side, in one piece.
tell_files() {
  if tool files "$out" "$nonce" "$verb" "${folder-}" "$@"; then out= && return; fi
  count=$1
  shift
  {
    list "$@"
    shift "$count"
    for path in "$@"; do show "$path"; done
    printf '%s end=%s\n' "$nonce" "$verb"
  } | dd obs=1048576 2>/dev/null
  out=
}
list() {
  printf '%s%s list=\n' "$out" "$nonce"
  ls -ldn "$@" 2>/dev/null
}
# A file that we may come to replace: what stands there, and its bytes, which no variable holds. Through a link it is read
# too, though never written. One byte beyond what the other side takes tells it that there are more.
show() {
  kind_of "$1"
  [ "$kind" != absent ] || return 0
  printf '%s look=%s %s\n' "$nonce" "$kind" "$1"
  [ -f "$1" ] && [ -r "$1" ] || return 0
  printf '%s bytes=\n' "$nonce"
  od -An -v -tx1 -N 262145 "$1"
}
read_file() { expand "$f_path" && tell_files 0 "$expanded"; }

free_space() {
  place=$dir
  [ -d "$place" ] || place=$HOME
  if tool free "$place"; then say "free=$reply" && return; fi
  out="$out$nonce df=
$(df -Pk "$place" 2>/dev/null)
"
}
tell_clock() { if tool clock; then say "clock=$reply"; else say "clock=$(date +%s)"; fi; }

# Read from its package, not by running it: that takes half a second and may write to the home.
claude_version() {
  program=$HOME/.local/bin/claude
  ! have claude || program=$(command -v claude)
  [ -e "$program" ] && program=$(readlink -f "$program" 2>/dev/null) || return 0
  case $program in
    */versions/*) say "claude=${program##*/versions/}" ;;
    *) version=$(sed -n 's/^ *"version": *"\([0-9][0-9A-Za-z.+-]*\)".*/\1/p' "${program%/*}/package.json" 2>/dev/null | head -n 1)
      [ -z "$version" ] || say "claude=$version" ;;
  esac
}

# ---- what outranks a login: names and kinds of value, never values ------------------------------------------

# Tells what gives the wrapper variables that Claude Code prefers to a credentials file: the process $1, or its container,
# and the files after it. Sets wrapper_dir, the CLAUDE_CONFIG_DIR of that process.
shadows_of() {
  process=$1
  shift
  wrapper_dir=
  if [ -n "$process" ] && ! is_container && [ ! -r "/proc/$process/environ" ]; then say "env=?" && process=; fi
  if have_none "$process" "$@"; then return; fi
  [ -z "$process" ] || set -- place=process - "$@"
  if [ -z "$process" ]; then found=$(variables_in "$@" </dev/null)
  elif is_container; then
    found=$(ask docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$container" | variables_in "$@")
  else found=$(environment_of "$process" | variables_in "$@"); fi
  while [ -n "$found" ]; do
    line=${found%%"$newline"*}
    case $line in
      dir=*) wrapper_dir=${line#dir=} ;;
      *) say "$line" ;;
    esac
    case $found in *"$newline"*) found=${found#*"$newline"} ;; *) found= ;; esac
  done
}

# Whether they are certain to have none of the variables: a look that costs a third of the whole one.
have_none() {
  case $f_kind/$1 in */) ;; process/* | systemd/*) set -- "$@" "/proc/$1/environ" ;; *) return 1 ;; esac
  shift
  for word; do
    shift
    case $word in place=*) ;; *) set -- "$@" "$word" ;; esac
  done
  [ "$#" = 0 ] || lack_names "$@"
}
lack_names() {
  if tool lacks 'ANTHROPIC|CLAUDE' "$@"; then [ "$reply" = yes ]; return; fi
  grep -q -e ANTHROPIC -e CLAUDE "$@" 2>/dev/null
  [ "$?" = 1 ] # more is a failure of grep, or there is none
}

# The folder that the wrapper works in: its settings and its .env count. Set in `project`, and told.
find_project() {
  expand "${f_project:-$f_directory}" && project=$expanded
  if [ -z "$project" ] && [ -n "$w_pid" ] && ! is_container; then project=$(readlink "/proc/$w_pid/cwd" 2>/dev/null); fi
  case $project in *"$newline"*) project= ;; /?*) say "project=$project" ;; *) project= ;; esac
}

# Those of the wrapper's process, of the files that it gets its environment from, by the way it is started, and of the files
# of login shells, which services do not read. Sets `wiring`, the file of ours that the supervisor reads, if it has one.
look_for_shadows() {
  wiring=
  set -- place=shell-rc
  for path in "$HOME/.bashrc" "$HOME/.bash_profile" "$HOME/.profile" "$HOME/.zshrc" "$HOME/.zshenv" /etc/profile /etc/environment; do
    [ ! -r "$path" ] || set -- "$@" "$path"
  done
  case $f_kind in
    systemd)
      set -- "$@" place=unit
      for path in $(printf '%s\n' "$unit_facts" | sed -n 's/^FragmentPath=//p; s/^DropInPaths=//p'); do
        [ ! -r "$path" ] || set -- "$@" "$path"
      done
      set -- "$@" place=unit-env-file
      for path in $(printf '%s\n' "$unit_facts" | sed -n 's/^EnvironmentFiles=\(.*\) (ignore_errors=.*/\1/p'); do
        if [ -r "$path" ]; then set -- "$@" "$path"; elif [ -e "$path" ]; then say "unread=unit-env-file $path"; fi
      done
      if [ "$f_scope" = user ]; then wiring=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user; else wiring=/etc/systemd/system; fi
      wiring=$wiring/$unit.d/zz-sync-creds.conf
      say "wiring=$wiring" ;;
    docker-compose)
      set -- "$@" place=compose
      expand "$f_directory" && here=$expanded
      for path in "$here/compose.yaml" "$here/compose.yml" "$here/docker-compose.yaml" "$here/docker-compose.yml"; do
        [ ! -r "$path" ] || set -- "$@" "$path"
      done
      set -- "$@" place=compose-env-file
      for path in "$here/.env" "$here"/*.env; do [ ! -r "$path" ] || set -- "$@" "$path"; done
      wiring=$here/compose.override.yaml
      for path in compose.override.yml docker-compose.override.yaml docker-compose.override.yml; do
        [ ! -e "$here/$path" ] || wiring=$here/$path
      done
      say "wiring=$wiring" ;;
    pm2)
      set -- "$@" place=pm2
      for path in "$project"/ecosystem.config.* "$project/pm2.json"; do [ ! -r "$path" ] || set -- "$@" "$path"; done ;;
    supervisor)
      set -- "$@" place=supervisor
      expand "$f_config"
      for path in "$expanded" /etc/supervisor/supervisord.conf /etc/supervisord.conf /etc/supervisor/conf.d/*.conf /etc/supervisord.d/*; do
        [ ! -r "$path" ] || ! grep -q -F "[program:$f_name]" "$path" || set -- "$@" "$path"
      done ;;
    launchd)
      set -- "$@" place=launchd
      for path in "$HOME/Library/LaunchAgents/$f_name.plist" "/Library/LaunchAgents/$f_name.plist" "/Library/LaunchDaemons/$f_name.plist"; do
        [ ! -r "$path" ] || set -- "$@" "$path"
      done ;;
  esac
  if [ -n "$project" ] && [ "$f_kind" != docker-compose ] && [ -r "$project/.env" ]; then set -- "$@" place=dot-env "$project/.env"; fi
  if [ -n "$f_envfile" ]; then
    expand "$f_envfile"
    [ ! -r "$expanded" ] || set -- "$@" place=env-file "$expanded"
  fi
  case $* in */*) ;; *) set -- ;; esac
  shadows_of "$w_pid" "$@"
}

# For awk: the variables that Claude Code prefers to a credentials file as a pattern, and the kind of value by its public
# prefix.
kind_of_value='BEGIN { gsub(/ /, "|", outranking); outranking = "(" outranking ")" }
function kind_of(value) {
  return value == "" ? "empty" : value ~ /^sk-ant-oat/ ? "oauth-token" : value ~ /^sk-ant-api/ ? "api-key" : "set"
}'
# The environment of a process as lines (`place=process -`): name and kind. And any text that gives names values (env files,
# units, YAML, JavaScript, ini, shell): place, line, kind, name, path. `NAME: ${NAME}` only hands on what stands elsewhere;
# `export` in an env file of systemd is passed over, as by systemd. Ends the shell that it is called in.
variables_in() {
  exec awk -v outranking="$outranking" -v after="(['\"]?[ \t]*[=:]|</key>)[ \t]*['\"]?" "$kind_of_value"'
    BEGIN { names = "(^|[^A-Za-z0-9_${])" outranking after; whole = "^" outranking "$" }
    place == "process" {
      name = $0
      sub(/=.*/, "", name)
      value = substr($0, length(name) + 2)
      if (name == "CLAUDE_CONFIG_DIR") dir = value
      else if (name ~ whole) kinds[name] = kind_of(value)
      next
    }
    /^[ \t]*(#|;|\/\/)/ { next }
    place == "unit-env-file" && /^[ \t]*export[ \t]/ { next }
    {
      rest = $0
      while (match(rest, names)) {
        found = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        match(found, /[A-Z][A-Z_]*[A-Z]/)
        value = rest
        sub(/["'"'"' \t,}\]\r].*$/, "", value)
        name = substr(found, RSTART, RLENGTH)
        if (value !~ "^[$][{]?" name "(:?-)?$") print "var=" place, FNR, kind_of(value), name, FILENAME
      }
    }
    END {
      for (name in kinds) print "env=" name, kinds[name]
      if (dir != "") print "dir=" dir
    }' "$@" 2>/dev/null
}
