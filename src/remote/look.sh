# Part of sync-creds' remote half: how the host is. It looks and changes nothing: no file is written, no program is run
# that would write one. Functions only; remote-half.sh says when they run.

# ---- probe --------------------------------------------------------------------------------------------------

probe() {
  folder=
  home_dir=$(cd -P "$HOME" 2>/dev/null && pwd) || home_dir=
  say "user=$(id)"
  say "home=$HOME"
  say "clock=$(date +%s)"
  ! read -r boot 2>/dev/null </proc/sys/kernel/random/boot_id || say "boot=$boot"
  have sha256sum || have shasum || have sha256 || say "missing=sha256sum"
  expand "${f_dir:-~/.claude}" && folder=$expanded/.sync-creds
  find_wrapper
  expand "$f_dir" && dir=$expanded
  # Inside a container the variable names a folder of the container.
  if [ -z "$dir" ] && [ -n "$w_pid" ] && ! is_container; then dir=$(variable_of "$w_pid" CLAUDE_CONFIG_DIR); fi
  case $dir in /*) ;; *) dir=$HOME/.claude ;; esac
  real_dir=$(cd -P "$dir" 2>/dev/null && pwd) && dir=$real_dir
  folder=$dir/.sync-creds
  say "dir=$dir"
  describe home "$home_dir"
  describe dir "$dir"
  free_space
  [ -z "$w_pid$w_socket" ] || say "wrapper=${w_pid:-?} ${w_start:-?} ${w_uid:-?} ${w_socket:-?}"
  [ -z "$w_state" ] || say "unit=$w_state"
  if [ -n "$w_pid" ]; then
    shadows_of "$w_pid"
    if [ "$f_kind" = process ]; then
      if is_foreign "$w_pid"; then say "foreign=yes"; else say "foreign=no"; fi
    fi
  fi
  find_project
  shadow_files
  [ -z "$f_directory" ] || { expand "$f_directory" && kind_of "$expanded" && say "directory=$kind"; }
  claude_version
  if read_lock && is_running "$pid" "$start"; then tell_holder lock; fi
  if [ -e "$folder/pending" ]; then read -r who 2>/dev/null <"$folder/pending/who"; say "pending=${who:-unknown}"; fi
  [ ! -r "$folder/history" ] || say "last=$(tail -n 1 "$folder/history")"
  {
    printf '%s' "$out"
    show "$dir/.credentials.json"
    show "$dir/settings.json"
    show "$folder/wrapper.env"
    show "$folder/api-key"
    show "$folder/api-key.sh"
    [ -z "$project" ] || [ "$project/.claude" = "$dir" ] ||
      for name in settings.json settings.local.json; do show "$project/.claude/$name"; done
    for path in /etc/claude-code/managed-settings.json /etc/claude-code/managed-settings.d/*.json; do show "$path"; done
    [ -z "$wiring" ] || show "$wiring"
    [ -z "$f_envfile" ] || { expand "$f_envfile" && show "$expanded"; }
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
    set -- "$1" $(ls -ldn "$2" 2>/dev/null)
    say "$1.is=$kind ${2-?} ${4-?} ${3-?}"
  fi
}

# A file that we may come to replace: what stands there, and its bytes. Straight to the other side: no variable holds them.
show() {
  kind_of "$1"
  [ "$kind" != absent ] || return 0
  # shellcheck disable=SC2046
  set -- "$1" $(ls -ldn "$1" 2>/dev/null)
  printf '%s look=%s %s %s %s %s\n' "$nonce" "$kind" "${2-?}" "${4-?}" "${3-?}" "$1"
  # Through a link it is read too, though never written.
  [ -f "$1" ] && [ -r "$1" ] || return 0
  if [ "$kind" = file ]; then size=${6-0}; else size=$(wc -c <"$1"); fi
  [ "$size" -le 262144 ] || return 0
  printf '%s bytes=' "$nonce"
  od -An -v -tx1 "$1" | tr -d ' \n'
  echo
}
read_file() {
  {
    printf '%s' "$out"
    expand "$f_path" && show "$expanded"
    printf '%s end=read\n' "$nonce"
  } | dd obs=1048576 2>/dev/null
  out=
}

free_space() {
  place=$dir
  [ -d "$place" ] || place=$HOME
  told=$(df -Pk "$place" 2>/dev/null)
  # shellcheck disable=SC2086
  set -- ${told#*"$newline"}
  [ -z "${4-}" ] || say "free=$4"
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

# ---- what outranks a login: names and kinds of value, never values ------------------------------------------

# For awk: the variables that Claude Code prefers to a credentials file as a pattern, and the kind of value by its public
# prefix.
kind_of_value='BEGIN { gsub(/ /, "|", outranking); outranking = "(" outranking ")" }
function kind_of(value) {
  return value == "" ? "empty" : value ~ /^sk-ant-oat/ ? "oauth-token" : value ~ /^sk-ant-api/ ? "api-key" : "set"
}'

# Those of a running process, or of a container.
shadows_of() {
  if is_container; then
    each env "$(ask docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$container" | name_variables)"
  elif [ -r "/proc/$1/environ" ]; then
    each env "$(environment_of "$1" | name_variables)"
  else
    say "env=?"
  fi
}
name_variables() {
  awk -F= -v outranking="$outranking" "$kind_of_value"'
    $1 ~ "^" outranking "$" { kinds[$1] = kind_of(substr($0, length($1) + 2)) }
    END { for (name in kinds) print name, kinds[name] }'
}

# The folder that the wrapper works in: its settings and its .env count. Set in `project`, and told.
find_project() {
  expand "${f_project:-$f_directory}" && project=$expanded
  if [ -z "$project" ] && [ -n "$w_pid" ] && ! is_container; then project=$(readlink "/proc/$w_pid/cwd" 2>/dev/null); fi
  case $project in /?*) say "project=$project" ;; *) project= ;; esac
}

# Those in the files that a wrapper gets its environment from, by the way it is started; and in the files of login shells,
# which services do not read. Sets `wiring`, the file of ours that the supervisor reads, if it has one.
shadow_files() {
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
  case $* in */*) each var "$(variables_in "$@")" ;; esac
}

# Reads any text that gives names values (env files, units, YAML, JavaScript, ini, shell): place, line, kind, name, path.
# `NAME: ${NAME}` only hands on what stands elsewhere; `export` in an env file of systemd is passed over, as by systemd.
variables_in() {
  awk -v outranking="$outranking" -v after="(['\"]?[ \t]*[=:]|</key>)[ \t]*['\"]?" "$kind_of_value"'
    BEGIN { names = "(^|[^A-Za-z0-9_${])" outranking after }
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
        if (value !~ "^[$][{]?" name "(:?-)?$") print place, FNR, kind_of(value), name, FILENAME
      }
    }' "$@" </dev/null 2>/dev/null
}
