using System.Globalization;
using Gateway.Bench;

switch (args)
{
    case ["upstream", var port, var key]:
        await Servers.RunUpstreamAsync(int.Parse(port, CultureInfo.InvariantCulture), key);
        return;
    case ["yarp", var port, var upstream]:
        await Servers.RunYarpAsync(int.Parse(port, CultureInfo.InvariantCulture), int.Parse(upstream, CultureInfo.InvariantCulture));
        return;
    case ["headscale", var version, var port, var socket]:
        await SocketCost.RunHeadscaleAsync(
            int.Parse(version, CultureInfo.InvariantCulture), int.Parse(port, CultureInfo.InvariantCulture), socket);
        return;
}

Console.WriteLine("Ratios within one run; absolute figures mean nothing elsewhere.");
if (args is [] or ["planes"])
{
    await Planes.MeasureAsync();
}

if (args is [] or ["allocations", ..])
{
    await Allocations.MeasureAsync(withTypes: args is [_, "types"]);
}

if (args is [] or ["socket"])
{
    await SocketCost.MeasureAsync();
}

if (args is [] or ["nodes"])
{
    await NodeList.MeasureAsync();
}

if (args is [] or ["audit"])
{
    await AuditCost.MeasureAsync();
}
