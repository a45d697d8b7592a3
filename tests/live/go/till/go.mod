module example.com/till

go 1.19

require (
	github.com/getsentry/sentry-go v0.11.0
	github.com/pkg/errors v0.9.1
)
