# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the search from outside has found, from its lines "LABEL NEEDLE COUNT": a
# secret and its halves, which are needles of their own, count as one. Sourced.

# hits NAMES FILE...: a line for each secret, its name and the hits in each file,
# or "unknown" where the search did not say all three
hits()
{
	hits_names=$1
	shift
	awk -v names="$hits_names" '
	{ count[FILENAME, $2] = $3 }
	function sum(file, name,  total, i) {
		for (i = 1; i <= 3; i++) {
			if (!((file, name part[i]) in count))
				return "unknown"
			total += count[file, name part[i]]
		}
		return total
	}
	END {
		part[1] = ""; part[2] = ".lo"; part[3] = ".hi"
		n = split(names, name)
		for (i = 1; i <= n; i++) {
			line = name[i]
			for (file = 1; file < ARGC; file++)
				line = line " " sum(ARGV[file], name[i])
			print line
		}
	}' "$@"
}

# hits_sum FILE NAME...: of all these secrets, or "unknown"
hits_sum()
{
	hits_file=$1
	shift
	hits "$*" "$hits_file" |
	awk -v names=$# '$2 != "unknown" { known++; sum += $2 }
		END { print known == names ? sum : "unknown" }'
}
