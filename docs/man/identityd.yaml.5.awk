# Makes identityd.yaml(5) of what `identityd --keys` prints.
function flush_key() {
	if (key == "")
		return
	print ".It Ic " key
	put(help)
	put("Takes " takes ".")
	if (fallback != "")
		put(fallback == "none, must be given" ? "It must be given." : \
			fallback == "none" ? "There is no default." : "By default " fallback ".")
	if (example != "")
		put("For example " example ".")
	if (changes == "on restart")
		put("Only a restart changes it.")
	key = fallback = example = changes = ""
}

# One text, wrapped, a sentence on a line, nothing in it that roff would take for its own.
function put(text, n, i, words, line) {
	gsub(/\\/, "\\e", text)
	n = split(text, words, " ")
	line = ""
	for (i = 1; i <= n; i++) {
		if (line != "" && (length(line) + length(words[i]) > 76 || \
				(line ~ /[.?!]$/ && words[i] ~ /^[A-Z]/))) {
			print line
			line = ""
		}
		if (line == "" && words[i] ~ /^[.']/)
			words[i] = "\\&" words[i]
		line = line (line == "" ? "" : " ") words[i]
	}
	print line
}

BEGIN {
	print ".\\\" Made from the table of keys by identityd.yaml.5.awk."
	print ".Dd November 25, 2026\n.Dt IDENTITYD.YAML 5\n.Os"
	print ".Sh NAME\n.Nm identityd.yaml\n.Nd configuration of identityd"
	print ".Sh DESCRIPTION"
	put("YAML without surprises: anchors, aliases, tags, merge keys, several documents, " \
		"duplicate and unknown keys are mistakes, and the key decides the type of a value. " \
		"Every mistake is printed as FILE:LINE:COLUMN: text by")
	print ".Ic identityd --check .\n.Pp"
	put("The file that is installed holds every key with its meaning and default. SIGHUP makes " \
		"the agent read it again, all or nothing; keys that only a restart changes must not " \
		"differ then. A [] stands for each entry of a list.")
	print ".Sh KEYS"
}

/^[^\t]/ {
	flush_key()
	section = $0
	sub(/[.[].*/, "", section)
	if (section != last) {
		if (last != "")
			print ".El"
		print ".Ss " section "\n.Bl -tag -width Ds"
		last = section
	}
	key = $0
	takes = help = ""
	next
}
/^\ttakes: / { takes = substr($0, 9); next }
/^\tdefault: / { fallback = substr($0, 11); next }
/^\tchanges: / { changes = substr($0, 11); next }
/^\texample: / { example = substr($0, 11); next }
{ help = help (help == "" ? "" : " ") substr($0, 2) }

END {
	flush_key()
	print ".El"
	print ".Sh FILES\n.Bl -tag -width Ds"
	print ".It Pa /etc/identityd/identityd.yaml\nThe configuration.\n.El"
	print ".Sh SEE ALSO\n.Xr identityd 8 ,\n.Xr identityd-setup 8"
}
