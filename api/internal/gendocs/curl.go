package main

import "strings"

// queryShown are the query parameters that a command line shows in use. The
// others are alternatives, or come from an answer before.
var queryShown = map[string]bool{"filter": true, "max_page_size": true}

// variables are the shell variables of the quick start. The braces matter: in
// some shells "$USER_ID:suspend" means something else.
var variables = strings.NewReplacer("{account_id}", "${ROLLCALL_ACCOUNT_ID}", "{user_id}", "${USER_ID}")

// curl is a command that calls op at path and works when pasted after the
// quick start.
func curl(op *operation, path string) string {
	lines := []string{`curl -sS --cacert "$ROLLCALL_CA_FILE"`}
	switch op.Auth {
	case "basic":
		lines = append(lines, `-u "${ROLLCALL_CLIENT_ID}:${ROLLCALL_CLIENT_SECRET}"`)
	case "bearer":
		lines = append(lines, `-H "Authorization: Bearer $TOKEN"`)
	}
	switch {
	case op.Name == "revokeToken":
		lines = append(lines, `--data-urlencode "token=$TOKEN"`)
	case op.Auth == "basic" && len(op.BodyExamples) > 0:
		lines = append(lines, "-d "+op.BodyExamples[0].Text)
	case op.Method == "POST":
		lines = append(lines, "-X POST")
	}
	if query := curlQuery(op); query != "" {
		lines = append(lines, query)
	}
	lines = append(lines, `"$ROLLCALL_BASE_URL`+variables.Replace(path)+`"`)
	return strings.Join(lines, " \\\n  ")
}

func curlQuery(op *operation) string {
	var query []string
	for _, p := range op.Parameters {
		if p.In == "query" && queryShown[p.Name] {
			query = append(query, `--data-urlencode "`+p.Name+"="+p.Example+`"`)
		}
	}
	if len(query) == 0 {
		return ""
	}
	return "-G " + strings.Join(query, " ")
}
