module brokerconn

go 1.26.0
