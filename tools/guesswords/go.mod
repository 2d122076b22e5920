module github.com/rollcall-id/rollcall/tools/guesswords

go 1.26.0

require (
	github.com/rollcall-id/rollcall v0.0.0
	github.com/trustelem/zxcvbn v1.0.1
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/dlclark/regexp2 v1.11.0 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/test-go/testify v1.1.4 // indirect
)

replace github.com/rollcall-id/rollcall => ../..
