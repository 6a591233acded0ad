# SPDX-License-Identifier: GPL-2.0
#
# What failed in the log of a step, for failures.sh. Variables: short, one line
# for each failure; complaints, what is one without being a test. Status 1:
# nothing was found (not with short).

# The block of lines since the last result, or since a test began.
function start() { nr_block = 0; reason = "" }

function keep(line)
{
	block[nr_block++] = line
	if (reason == "" && line ~ reasons)
		reason = line
}

# The first five lines of the block and its last nine tell enough.
function failure(what, why,    i)
{
	nr_failures++
	names[nr_failures] = what
	whys[nr_failures] = why
	if (nr_block > 14)
		first = 5
	else
		first = nr_block
	for (i = 0; i < first; i++)
		text[nr_failures] = text[nr_failures] block[i] "\n"
	if (first < nr_block)
		text[nr_failures] = text[nr_failures] "...\n"
	for (i = nr_block - 9; i < nr_block; i++)
		if (i >= first)
			text[nr_failures] = text[nr_failures] block[i] "\n"
}

function first_reason(    i)
{
	if (reason != "")
		return reason
	for (i = 0; i < nr_block; i++)
		if (block[i] !~ /^# *(RUN|FAIL|OK) |^ *not ok |^1[.][.]/)
			return block[i]
	return ""
}

# A header without totals: the program died.
function died()
{
	if (!open)
		return
	keep("(no totals: it did not end)")
	failure((program == "" ? "a program" : program) ": did not end",
		first_reason())
	open = 0
}

function in_program(name)
{
	return index(name, program) == 1 ? name : program ": " name
}

BEGIN {
	reasons = "[.](c|h|sh):[0-9]+:.*[Ee]xpected|Test (terminated|" \
		  "exited|ended)|EXPECTATION FAILED|ASSERTION FAILED|" \
		  "^# expected|died with status|" complaints
	nr_said = nr_failures = nr_block = 0
}
{ sub(/\r$/, ""); all[NR % 10] = $0 }
/^# [A-Za-z0-9_.-]+$/ || /^# KUnit suite / {
	named = $NF
	named_at = NR
}
/^TAP version/ {
	died()
	open = 1
	if (named_at && named_at >= NR - 1)
		program = named
	start()
	next
}
/^# *RUN  / { start(); keep($0); next }
/^# *OK  / || /^ *ok [0-9]/ { start(); next }
/^ *not ok [0-9]/ {
	name = $0
	sub(/^ *not ok [0-9]+ (- )?/, "", name)
	keep($0)
	failure(in_program(name), first_reason())
	start()
	next
}
/^# Totals:/ {
	open = 0
	if ($0 ~ /error:[1-9]/ && nr_block) {
		keep($0)
		failure(in_program("error"), first_reason())
	}
	start()
	next
}
/^# selftests failed:/ { whole = $0; next }
# Twenty lines of a kernel's log tell where it was.
$0 ~ complaints && !/^# / {
	if (/^  \[/ && !trace)
		trace = 20
	else if (!trace)
		say($0)
}
trace > 0 {
	say($0)
	trace--
}
{ keep($0) }

function say(line)
{
	if (nr_said < 24)
		said[nr_said++] = line
}

function cut(line, width)
{
	return length(line) > width ? substr(line, 1, width - 3) "..." : line
}

# One line each, to find the failure when only that much is left.
function brief(    i, n, line)
{
	for (i = 1; i <= nr_failures && n < 4; i++) {
		line = names[i]
		if (whys[i] != "" && index(whys[i], names[i]) == 0)
			line = line ": " whys[i]
		print cut(line, 150)
		n++
	}
	if (i <= nr_failures)
		print "and " nr_failures - i + 1 " more"
	for (i = 0; i < nr_said && n < 4; i++) {
		print cut(said[i], 150)
		n++
	}
	if (n < 4 && whole != "") {
		print cut(whole, 150)
		n++
	}
	for (i = NR > 4 ? NR - 3 : 1; i <= NR && !nr_failures && \
	     !nr_said && whole == ""; i++)
		print cut(all[i % 10], 150)
}

function detailed(    i, j, n, parts, lines, left)
{
	left = 46
	for (i = 1; i <= nr_failures && left > 0; i++) {
		print names[i] ":"
		left--
		n = split(text[i], lines, "\n") - 1
		for (j = 1; j <= n && left > 0; j++) {
			print "  " cut(lines[j], 240)
			left--
		}
	}
	if (i <= nr_failures)
		print "and " nr_failures - i + 1 " more"
	if (nr_said && left > 0)
		print "complaints:"
	for (i = 0; i < nr_said && left > 0; i++) {
		print "  " cut(said[i], 240)
		left--
	}
	# Nothing known: more of the end, which the caller prints.
	exit nr_failures + nr_said ? 0 : 1
}

END {
	died()
	if (short != "")
		brief()
	else
		detailed()
}
