// Package client is a Go client of the Users API: of the published service, by
// its region, and of rollcall, by its base URL. Nothing else differs.
//
//	c, err := client.New(client.Config{
//		BaseURL:      baseURL, // or Region: client.RegionCOM
//		AccountID:    os.Getenv("ROLLCALL_ACCOUNT_ID"),
//		ClientID:     os.Getenv("ROLLCALL_CLIENT_ID"),
//		ClientSecret: client.NewSecret(os.Getenv("ROLLCALL_CLIENT_SECRET")),
//		UserAgent:    "ExampleCorp/1.0",
//	})
//	if err != nil {
//		return err
//	}
//	defer c.Close(context.WithoutCancel(ctx))
//
//	for user, err := range c.Users.All(ctx, client.ListOptions{Filter: client.ActiveUsers}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(user.Email, user.State)
//	}
//
// It owns how the API is called: the access token and its renewal, paging,
// retries, pacing, and errors that a program can tell apart. It leaves the wire
// types to package api, which it hands out under names of its own such as User and
// Application, and a server for your own tests to package clienttest.
//
// # What happens to a call
//
//	Users.Suspend -> retry: up to Retry.MaxAttempts, as long as the context lives
//	                   token: fetched once, shared, renewed ahead of time, once more on a 401
//	                   pace:  waits where Pacing says so
//	                   exchange: one request, one whole and bounded answer
//
// Suspending and reactivating are idempotent, so they are retried like reads.
// What is retried: 429, waiting as long as the server asks; 502, 503, 504 and
// connections that fail, with growing, jittered waits. All else is answered at
// once. Two calls are not idempotent, creating an application and rotating its
// secret: they are sent again only where they can't have been carried out, and
// otherwise fail with [ErrOutcomeUnknown]; see [ApplicationsService].
//
// # What always holds
//
//   - Credentials go to the configured origin only: redirects are never
//     followed, and plain HTTP is refused but to this machine itself, unless
//     [Config].AllowInsecureHTTP says otherwise.
//   - No secret and no token is in an error, in a log, or in what fmt prints.
//   - No answer costs more than 8 MiB, and a walk costs one page of memory and
//     one request a page, however many people there are.
//   - Every wait ends with the context. The only goroutine renews the token; it
//     ends by itself, and at the latest in [Client.Close].
//   - A server that says more than the contract is understood: unknown fields
//     and states, an empty next_page_token, errors that are not JSON.
//
// A Client is safe for concurrent use; make one for an application and share it.
package client
