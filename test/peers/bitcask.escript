#!/usr/bin/env escript
%% Erlang Bitcask, for the tests beside it. Keys and values are hex, `-` where they are empty.
%%
%%     bitcask.escript write DIR MAX_FILE_SIZE    on stdin, a line each:
%%         put KEY VALUE | delete KEY | reopen | merge [FILE...] | crash
%%     bitcask.escript read DIR                   KEY VALUE a line
%%
%% `merge` without files takes all but the one being written. `crash` ends the program where it is.
%% What Bitcask complains of goes to stderr.

main([What, Dir | Rest]) ->
    logger:remove_handler(default),
    logger:add_handler(default, logger_std_h, #{config => #{type => standard_error}}),
    case What of
        "write" ->
            Options = [read_write, {max_file_size, list_to_integer(hd(Rest))}],
            write(Dir, Options, bitcask:open(Dir, Options));
        "read" ->
            Store = bitcask:open(Dir),
            bitcask:fold(Store, fun(Key, Value, _) ->
                io:format("~s ~s~n", [hex(Key), hex(Value)])
            end, ok),
            bitcask:close(Store)
    end.

write(Dir, Options, Store) ->
    case io:get_line("") of
        eof ->
            bitcask:close(Store);
        Line ->
            case string:tokens(string:trim(Line), " ") of
                ["put", Key, Value] ->
                    ok = bitcask:put(Store, bytes(Key), bytes(Value)),
                    write(Dir, Options, Store);
                ["delete", Key] ->
                    ok = bitcask:delete(Store, bytes(Key)),
                    write(Dir, Options, Store);
                ["reopen"] ->
                    ok = bitcask:close(Store),
                    write(Dir, Options, bitcask:open(Dir, Options));
                ["merge"] ->
                    ok = bitcask:merge(Dir, Options),
                    write(Dir, Options, Store);
                ["merge" | Files] ->
                    ok = bitcask:merge(Dir, Options, [filename:join(Dir, File) || File <- Files]),
                    write(Dir, Options, Store);
                ["crash"] ->
                    erlang:halt(0, [{flush, false}])
            end
    end.

bytes("-") -> <<>>;
bytes(Hex) -> << <<(list_to_integer([A, B], 16))>> || [A, B] <- pairs(Hex) >>.

pairs([A, B | Rest]) -> [[A, B] | pairs(Rest)];
pairs([]) -> [].

hex(<<>>) -> "-";
hex(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Bytes].
