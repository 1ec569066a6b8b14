/* Every command, one line each: COMMAND(x) is lcl_command_x in commands/x.c. */
COMMAND(devices)
COMMAND(convert)
COMMAND(proto)
COMMAND(test)
COMMAND(time)
COMMAND(train)
COMMAND(verify)
