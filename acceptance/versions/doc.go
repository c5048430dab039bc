// Package versions asks real brokers of every release which release they are, through
// this library and through three others, and prints what each said in one table.
//
//	brokers     which brokers are asked, and what the right answer is
//	ours        what this library says
//	wire        what that cost, as counted under it
//	references  what kafka-python 2.3.3 and 3.0.12 say, and franz-go's kversion
//	row         one broker: what is wrong with it, and its line of the table
//
// The tests that need brokers carry the build tag acceptance, and those of all releases
// the tag matrix besides. The first run by make acceptance, the others by
//
//	make version-matrix
//
// They need what the brokers of package acceptance need, and Python 3.8 or newer.
// Without Python, kafka-python is not asked, under a banner, or it is a failure where
// the environment says ACCEPTANCE=required or PARITY=required.
package versions
