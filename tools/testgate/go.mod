module github.com/rollcall-id/rollcall/tools/testgate

go 1.26.0
