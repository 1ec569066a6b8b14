/* Every command, one line each: COMMAND(x) is lcl_command_x in commands/x.c. */
COMMAND(train)
COMMAND(test)
COMMAND(time)
COMMAND(devices)
COMMAND(convert)
COMMAND(proto)
COMMAND(verify)
