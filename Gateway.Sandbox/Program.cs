using System.Runtime.InteropServices;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;

if (SandboxOptions.Of(args) is not { } options)
{
    await Console.Error.WriteLineAsync(SandboxOptions.Usage);
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var folder = Directory.CreateTempSubdirectory("gateway-sandbox-").FullName;
try
{
    await using var headscale = await HeadscaleStandIn.StartAsync(options.Version, options.PortOf(3));
    People.Settle(headscale);
    await using var provider = await ProviderStandIn.StartAsync(People.AtProvider, options.PortOf(2), host: options.Host);
    People.SettleProvider(headscale, provider.Issuer);
    var port = options.PortOf(1);
    await using var front = await FrontStandIn.StartAsync(SandboxOptions.UrlOf("127.0.0.1", port), options.PortOf(0), options.Host);
    await using var gateway = await GatewayProcess.StartAsync(
        folder, Tour.Configuration(headscale, front, provider, port, folder), port, quiet: false, stop.Token);
    Console.WriteLine(Tour.Text(options, headscale, front, provider, gateway));
    await Task.Delay(Timeout.Infinite, stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopping …");
}
catch (Exception e) when (e is IOException or InvalidOperationException)
{
    // A port that is taken, or a gateway that did not start: it has said why.
    await Console.Error.WriteLineAsync($"the sandbox did not start: {e.Message}");
    return 1;
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
