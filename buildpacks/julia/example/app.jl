# Today's tides, with nothing but Julia's own standard library. An app of more than a page takes HTTP.jl, Oxygen or Genie.
using Dates, Sockets

"Height in metres at an hour of the day: two high waters and two low ones."
height(hour) = round(2 + 1.5 * cos(2π * hour / 12.42); digits = 1)

function page()
    rows = join("<tr><td>$(lpad(hour, 2, '0')):00<td>$(height(hour)) m" for hour in 0:3:21)
    "<!doctype html><title>Tide table</title><h1>Tides of $(today())</h1><table>$rows</table>"
end

function answer(connection)
    request = readline(connection)
    while !isempty(readline(connection)) end
    body = startswith(request, "GET / ") ? page() : "not here"
    status = startswith(request, "GET / ") ? "200 OK" : "404 Not Found"
    write(connection, "HTTP/1.1 $status\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: $(sizeof(body))\r\n",
        "Connection: close\r\n\r\n", body)
end

server = listen(ip"0.0.0.0", parse(Int, ENV["PORT"]))
while true
    connection = accept(server)
    @async try
        answer(connection)
    finally
        close(connection)
    end
end
