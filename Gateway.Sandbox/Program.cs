using System.Runtime.InteropServices;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;

var version = args switch
{
    [] => 29,
    ["--headscale-version", var text] when int.TryParse(text.Replace("0.", "", StringComparison.Ordinal), out var minor)
        && minor is >= 26 and <= 30 => minor,
    _ => 0,
};
if (version == 0)
{
    await Console.Error.WriteLineAsync("usage: dotnet run --project Gateway.Sandbox [-- --headscale-version 0.26|0.27|0.28|0.29|0.30]");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var folder = Directory.CreateTempSubdirectory("gateway-sandbox-").FullName;
try
{
    await using var headscale = await HeadscaleStandIn.StartAsync(version);
    People.Settle(headscale);
    await using var provider = await ProviderStandIn.StartAsync(People.AtProvider);
    People.SettleProvider(headscale, provider.Issuer);
    var port = GatewayProcess.FreePort();
    await using var front = await FrontStandIn.StartAsync(new Uri($"http://127.0.0.1:{port}"));
    await using var gateway = await GatewayProcess.StartAsync(
        folder, Tour.Configuration(headscale, front, provider, port, folder), port, quiet: false, stop.Token);
    Console.WriteLine(Tour.Text(headscale, front, provider, gateway));
    await Task.Delay(Timeout.Infinite, stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopping …");
}
finally
{
    Directory.Delete(folder, recursive: true);
}

return 0;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
