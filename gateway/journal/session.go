package journal

// row is one row of a result: *sql.Rows, pgx.Rows and SQLite's own.
type row interface{ Scan(dest ...any) error }

// session is the connection of one writer, with every statement prepared once. It belongs to one goroutine. Queries are
// the constants of this package, in the words of SQLite.
type session interface { //nolint:interfacebloat // a transaction, and the four kinds of statements in it
	begin() error
	// commit makes everything since begin durable. errDirty: nothing is, and the group is to run again, apart.
	commit() error
	rollback() error

	// next begins the part of one update in the transaction; wrote tells whether it changed something or tried to.
	next()
	wrote() bool
	// broken is the first error since begin after which nothing of the transaction can be trusted.
	broken() error

	// lock keeps every other transaction that locks the same name waiting until this one ends.
	lock(name ...string) error

	// exec runs a statement that writes and returns how many rows it wrote.
	exec(query string, args ...any) (int64, error)
	// insert runs a statement that inserts one row and returns its number.
	insert(query string, args ...any) (int64, error)
	// insertUnless runs a statement that inserts one row or none, and returns its number.
	insertUnless(query string, args ...any) (id int64, inserted bool, err error)
	// queryRow scans the first row of a result. sql.ErrNoRows when there is none.
	queryRow(query string, args []any, scan func(row) error) error
	// query calls scan for every row of a result.
	query(query string, args []any, scan func(row) error) error

	close() error
}
